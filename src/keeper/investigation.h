#pragma once

#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "keeper/canaries.h"
#include "keeper/client/person_list.h"
#include "keeper/grant_checker.h"
#include "keeper/person_store.h"
#include "keeper/recorder.h"

namespace cloison::keeper {

/// What the breach desk may have: the journal's lines, and handles for the persons that they name.
/// Either is journaled before anything is given. Any thread may call.
class Investigation {
  public:
    static constexpr std::size_t kMaxEntries = 10'000;

    struct Parts {
        GrantChecker& grants;
        const KeyRing& keys;
        const PersonStore& persons;
        journal::Journal& journal;
        Recorder& recorder;
        Canaries& canaries;
        const Clock& clock;
        Random& random;
    };
    explicit Investigation(Parts parts) : parts_(parts) {}

    struct Entries {
        std::vector<Bytes> entries;
        std::uint64_t size = 0;
        std::string checkpoint;
    };
    /// `count` (1 to kMaxEntries) lines from `first`, fewer at the end, under a grant to
    /// investigate that names nobody. One line says so for each grant, not for each page.
    Result<Entries> read(std::string_view door, std::string_view grant, std::uint64_t first,
                         std::size_t count);

    /// One page of the list that was approved, and the digests of all pages
    /// (docs/formats/person-list.md).
    struct ListPage {
        std::vector<std::uint32_t> persons;
        std::vector<crypto::Hash> digests;
        std::uint32_t number = 0;
    };
    /// A handle for each person of the page, empty where there is none any more, under a bulk grant
    /// that names the list and that two staff members approved. One line. kPermissionDenied for any
    /// other person or list. A canary among them raises its alarm.
    Result<std::vector<Bytes>> handles(std::string_view door, std::string_view grant,
                                       const ListPage& page);

  private:
    journal::Entry line_of(const CheckedGrant& grant) const;  ///< Without a reason.
    Status raise_canaries(const CheckedGrant& grant,
                          const std::vector<std::optional<Person>>& persons);
    Status write_under(const CheckedGrant& grant, std::vector<journal::Entry> entries);
    Status journal_reading(const CheckedGrant& grant, std::string reason);
    bool is_journaled(const CheckedGrant& grant);
    void remember_journaled(const CheckedGrant& grant);

    const Parts parts_;
    std::mutex mutex_;
    std::map<crypto::Hash, Time> readings_;  ///< Grants whose reading is journaled, until expiry.
};

}  // namespace cloison::keeper
