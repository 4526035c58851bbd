#pragma once

#include <map>
#include <memory>
#include <string>

#include "casework/request_type.h"
#include "documents/content_type.h"
#include "documents/scanner.h"
#include "portal/portal.h"

namespace cloison::portal {

/// What the handlers of all pages use. Immutable after the start, so safe from any thread.
struct Shared {
    Services services;
    registry::Registry registry;
    std::map<std::string, casework::RequestType> types;
    std::unique_ptr<documents::ContentDetector> detector;
    std::unique_ptr<documents::Scanner> scanner;  ///< Null: uploads are not scanned.
    Clock& clock;
    Random& random;
};
using SharedPointer = std::shared_ptr<const Shared>;

using Handler = Result<net::HttpResponse> (*)(const Shared&, web::Context&);

/// Adds routes whose handlers are plain functions over Shared.
class Routes {
  public:
    Routes(web::Site& site, SharedPointer shared) : site_(site), shared_(std::move(shared)) {}
    void get(std::string pattern, web::Access access, Handler handler) {
        site_.get(std::move(pattern), access, bound(handler));
    }
    void post(std::string pattern, web::Access access, Handler handler) {
        site_.post(std::move(pattern), access, bound(handler));
    }
    void post_stream(std::string pattern, web::Access access, Handler handler) {
        site_.post_stream(std::move(pattern), access, bound(handler));
    }

  private:
    web::Site::Handler bound(Handler handler) const {
        return [shared = shared_, handler](web::Context& context) {
            return handler(*shared, context);
        };
    }
    web::Site& site_;
    SharedPointer shared_;
};

void add_home_pages(Routes& routes);
void add_sign_up_pages(Routes& routes);
void add_profile_pages(Routes& routes);
void add_request_pages(Routes& routes);
void add_question_pages(Routes& routes);
void add_document_pages(Routes& routes);
void add_access_pages(Routes& routes);
void add_disclosure_pages(Routes& routes);
void add_professional_pages(Routes& routes);

}  // namespace cloison::portal
