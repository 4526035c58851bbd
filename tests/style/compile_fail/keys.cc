#include "crypto/keys.h"

using namespace cloison::crypto;

void seal_with(const PersonKey&) {}

void use(const PersonKey& person, const EpochKey& epoch) {
    static_cast<void>(epoch);
#ifdef MIX
    seal_with(epoch);
#else
    seal_with(person);
#endif
}
