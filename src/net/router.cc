#include "net/router.h"

namespace cloison::net {

bool match_pattern(std::string_view pattern, std::string_view path, PathParameters& parameters) {
    parameters.clear();
    while (!pattern.empty() && !path.empty()) {
        if (pattern.front() != '/' || path.front() != '/') return false;
        pattern.remove_prefix(1);
        path.remove_prefix(1);
        const std::string_view wanted = pattern.substr(0, pattern.find('/'));
        const std::string_view segment = path.substr(0, path.find('/'));
        if (wanted.size() > 2 && wanted.front() == '{' && wanted.back() == '}') {
            if (segment.empty()) return false;
            parameters.insert_or_assign(std::string(wanted.substr(1, wanted.size() - 2)),
                                        std::string(segment));
        } else if (wanted != segment) {
            return false;
        }
        pattern.remove_prefix(wanted.size());
        path.remove_prefix(segment.size());
    }
    return pattern.empty() && path.empty();
}

}  // namespace cloison::net
