#pragma once

#include "base/file_system.h"

namespace cloison {

/// A new directory of mode 0700 under the system's place for temporary files, removed with all
/// that is in it when the object goes. Aborts if it cannot be made.
class TemporaryDirectory {
  public:
    TemporaryDirectory();
    ~TemporaryDirectory();
    TemporaryDirectory(const TemporaryDirectory&) = delete;
    TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

    const Path& path() const { return path_; }

  private:
    Path path_;
};

}  // namespace cloison
