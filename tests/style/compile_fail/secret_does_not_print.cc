#include <iostream>

#include "base/secret.h"

void use(const cloison::Secret& secret) {
#ifdef MIX
    std::cout << secret;
#else
    std::cout << secret.size();
#endif
}
