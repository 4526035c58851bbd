// Small pieces of a request. The first byte says which: 'u' request target, 'f' form, 'k' Cookie
// header, 's' a response header of hostile content. Beyond not crashing: a path that is taken is
// absolute, without NUL, dot segments or bad UTF-8; a form's fields are bounded, valid UTF-8 and
// survive being encoded again; a cookie is a part of its line; a response head never holds more
// header lines than the handler set.
#include <algorithm>

#include "net/http.h"
#include "net/http_wire.h"
#include "target.h"

namespace cloison::fuzz {
namespace {

bool run_target(std::string_view text) {
    const auto target = net::parse_request_target(text);
    if (!target) return false;
    const std::string& path = target->path;
    require(path.starts_with('/'), "a path is absolute");
    require(net::is_valid_utf8(path) && path.find('\0') == std::string::npos, "a path is text");
    for (std::string_view rest = path; !rest.empty();) {
        rest.remove_prefix(1);
        const std::string_view segment = rest.substr(0, rest.find('/'));
        require(segment != "." && segment != "..", "a path has no dot segments");
        rest.remove_prefix(segment.size());
    }
    return true;
}

bool run_form(std::string_view text) {
    const auto form = net::Form::parse(text);
    if (!form) return false;
    require(form->fields().size() <= net::kMaxFormFields, "a form is bounded");
    std::string again;
    for (const auto& [name, value] : form->fields()) {
        require(net::is_valid_utf8(name) && net::is_valid_utf8(value) &&
                    name.find('\0') == std::string::npos && value.find('\0') == std::string::npos,
                "fields are text");
        if (!again.empty()) again += '&';
        again += net::percent_encode(name) + '=' + net::percent_encode(value);
    }
    const auto read = net::Form::parse(again);
    require(read && read->fields() == form->fields(), "a form is encoded and read the same again");
    return true;
}

bool run_cookie(std::string_view text) {
    net::HttpRequest request;
    request.headers.add("Cookie", std::string(text));
    const auto cookie = request.cookie("__Host-session");
    if (!cookie) return false;
    require(text.find(*cookie) != std::string_view::npos, "a cookie stands in its line");
    require(cookie->find(';') == std::string::npos, "a cookie is one pair");
    const std::string header = net::set_cookie_header({"__Host-s", *cookie, 60, true, true});
    require(std::count(header.begin(), header.end(), ';') == 5 &&
                header.find_first_of("\r\n") == std::string::npos,
            "a value adds no attribute to a cookie");
    return true;
}

bool run_response(Input& in) {
    net::HttpResponse response;
    const std::string name = to_string(in.sized());
    response.headers.add(name, to_string(in.rest()));
    const auto head =
        net::response_head(response, net::body_framing(response, false), true, Time{});
    if (!head) return false;
    require(head->ends_with("\r\n\r\n") && head->find("\r\n\r\n") == head->size() - 4,
            "a header ends no header section");
    require(std::count(head->begin(), head->end(), '\n') <= 6, "a header adds no other");
    return true;
}

bool run(ByteView input) {
    Input in(input);
    switch (in.byte()) {
        case 'u':
            return run_target(as_text(in.rest()));
        case 'f':
            return run_form(as_text(in.rest()));
        case 'k':
            return run_cookie(as_text(in.rest()));
        case 's':
            return run_response(in);
        default:
            return false;
    }
}

std::vector<Seed> seeds() {
    Bytes header{'s'};
    put_sized(header, "X-Name");
    const std::string_view value = "a value";
    header.insert(header.end(), value.begin(), value.end());
    return {{"target", to_bytes("u/requests/caf%C3%A9?page=2&sort=a%20b")},
            {"form", to_bytes("fname=Ana%C3%AFs&note=a+b%26c&name=again&empty=")},
            {"cookie", to_bytes("k__Host-other=1; __Host-session=abc=def; x=")},
            {"header", header}};
}

const Registration registration({"http_input", run, seeds});

}  // namespace
}  // namespace cloison::fuzz
