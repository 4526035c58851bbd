#pragma once

#include "base/file_system.h"
#include "drill/link_records.h"

namespace cloison::drill {

/// Where the stores lie, as `cloison init` lays them out.
struct Stores {
    Path keeper;
    Path identity;
    Path casework;
    Path documents;
    Path desk;
};

/// Copies of the databases.
struct Copies {
    Path persons;
    Path identity;
    Path casework;
    Path documents;
};
/// Whose each record is, by the keeper's root key and identity's data key, which no thief of
/// databases has: whether an attack is right can only be said by somebody who holds them.
Result<Truth> learn_truth(FileSystem& files, const Stores& stores, const Copies& copies);

}  // namespace cloison::drill
