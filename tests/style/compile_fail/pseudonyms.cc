#include "base/id.h"

using namespace cloison;

bool same_row(const CaseworkPseudonym& a, const CaseworkPseudonym& b) {
    return a == b;
}

bool use(const IdentityPseudonym& identity, const CaseworkPseudonym& casework) {
#ifdef MIX
    return same_row(identity, casework);
#else
    static_cast<void>(identity);
    return same_row(casework, casework);
#endif
}
