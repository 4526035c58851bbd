#include "base/temporary_directory.h"

#include <stdlib.h>

#include <cstdlib>

namespace cloison {

TemporaryDirectory::TemporaryDirectory() {
    std::error_code error;
    std::string name = (std::filesystem::temp_directory_path(error) / "cloison-XXXXXX").string();
    if (error || mkdtemp(name.data()) == nullptr) std::abort();
    path_ = name;
}

TemporaryDirectory::~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

}  // namespace cloison
