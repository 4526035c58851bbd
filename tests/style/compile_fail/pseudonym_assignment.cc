#include "base/id.h"

using namespace cloison;

void use(IdentityPseudonym& to, const IdentityPseudonym& same, const DocumentsPseudonym& other) {
    static_cast<void>(other);
#ifdef MIX
    to = other;
#else
    to = same;
#endif
}
