#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "net/http.h"

namespace cloison::net {

/// What stands in for {name} in a route's pattern.
using PathParameters = std::map<std::string, std::string, std::less<>>;

/// Routes by method and pattern ("/requests/{request}/withdraw"); {name} matches one non-empty
/// segment. `Entry` is what the server attaches to a route (access rule, handler). Routes can be
/// enumerated: the tests' IDOR matrix is held against this list.
template <class Entry>
class Router {
  public:
    struct Route {
        std::string method;
        std::string pattern;
        Entry entry;
    };
    struct Match {
        const Route* route = nullptr;  ///< Null: no such path, or `method_mismatch`.
        PathParameters parameters;
        bool method_mismatch = false;  ///< The path exists with other methods: 405.
        std::string allow;             ///< Then: the Allow header.
    };

    void add(std::string method, std::string pattern, Entry entry) {
        routes_.push_back({std::move(method), std::move(pattern), std::move(entry)});
    }
    Match find(std::string_view method, std::string_view path) const;
    const std::vector<Route>& routes() const { return routes_; }

  private:
    std::vector<Route> routes_;
};

/// Matches `path` against `pattern`; literal segments win over parameters in Router::find because
/// it prefers the match with fewer parameters.
bool match_pattern(std::string_view pattern, std::string_view path, PathParameters& parameters);

template <class Entry>
typename Router<Entry>::Match Router<Entry>::find(std::string_view method,
                                                  std::string_view path) const {
    Match best;
    for (const Route& route : routes_) {
        PathParameters parameters;
        if (!match_pattern(route.pattern, path, parameters)) continue;
        // HEAD is answered by the GET route without its body.
        const bool fits = route.method == method || (method == "HEAD" && route.method == "GET");
        if (!fits) {
            best.method_mismatch = true;
            best.allow += (best.allow.empty() ? "" : ", ") + route.method;
            continue;
        }
        if (best.route == nullptr || parameters.size() < best.parameters.size()) {
            best.route = &route;
            best.parameters = std::move(parameters);
        }
    }
    if (best.route != nullptr) best.method_mismatch = false;
    return best;
}

}  // namespace cloison::net
