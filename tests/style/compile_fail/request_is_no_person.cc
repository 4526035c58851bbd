#include "base/id.h"

using namespace cloison;

CaseworkPseudonym owner(const CaseworkPseudonym& person) {
    return person;
}

CaseworkPseudonym use(const RequestId& request, const CaseworkPseudonym& person) {
    static_cast<void>(request);
#ifdef MIX
    return owner(request);
#else
    return owner(person);
#endif
}
