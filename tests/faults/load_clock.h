#pragma once

#include "base/time.h"

namespace cloison::faults {

/// The time that the keeper has: of the machine, moved on as MOVED_CLOCK says if that is set
/// (moved_clock.cc). The load reads it here, and has its own process's clock left alone: gRPC waits
/// for moments of that clock in the kernel, which knows of no other.
Clock& load_clock();

}  // namespace cloison::faults
