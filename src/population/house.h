#pragma once

#include <memory>
#include <string>

#include "casework/casework.h"
#include "casework/casework_client.h"
#include "documents/documents.h"
#include "documents/documents_client.h"
#include "identity/identity.h"
#include "identity/identity_client.h"
#include "keeper/keeper.h"
#include "population/population.h"

namespace cloison::population {

/// The services as one caller reaches them.
struct Door {
    std::string name;
    keeper::KeeperClient keeper;
    identity::IdentityClient identity;
    casework::CaseworkClient casework;
    documents::DocumentsClient documents;
};

/// Keeper, identity, casework and documents on their real directories, in this process.
class House {
  public:
    static Result<std::unique_ptr<House>> open(const Options& options, FileSystem& files,
                                               Clock& clock, Random& random);

    const Door& portal() const { return *portal_; }
    const Door& desk() const { return *desk_; }
    const Door& operator_line() const { return *operator_; }
    /// Publishes what the journal holds.
    Status finish() { return keeper_->publish(); }

  private:
    House() = default;
    std::unique_ptr<Door> door(const std::string& name) const;

    std::unique_ptr<keeper::Keeper> keeper_;
    std::unique_ptr<identity::Identity> identity_;
    std::unique_ptr<casework::Casework> casework_;
    std::unique_ptr<documents::Documents> documents_;
    std::unique_ptr<Door> portal_;
    std::unique_ptr<Door> desk_;
    std::unique_ptr<Door> operator_;
};

}  // namespace cloison::population
