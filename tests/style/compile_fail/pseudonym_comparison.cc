#include "base/id.h"

using namespace cloison;

bool use(const DocumentsPseudonym& documents, const CaseworkPseudonym& casework) {
#ifdef MIX
    return documents == casework;
#else
    return documents == documents && casework == casework;
#endif
}
