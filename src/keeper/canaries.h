#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <vector>

#include "journal/entry.h"
#include "keeper/alarms.h"
#include "keeper/journal_mark.h"
#include "keeper/person_store.h"
#include "keeper/recorder.h"
#include "keeper/sealing.h"

namespace cloison::keeper {

/// An invented person, and where they stand.
struct Canary {
    struct Value {
        std::string field;
        Bytes record;
        Bytes value;
        std::uint32_t schema_version = 0;
        bool operator==(const Value&) const = default;
    };
    std::uint64_t number = 0;
    std::string copy;  ///< Which copy of the data they are for.
    registry::Compartment compartment = registry::Compartment::kIdentity;
    Person person;
    Time planted;
    std::vector<Value> values;
};

/// The register of canaries, docs/formats/canaries.md: invented persons that no legitimate process
/// opens, a set of their own for each compartment and for each copy of the data. Opening one raises
/// an alarm.
///
/// The register is sealed: without the root key it is a number of boxes of a few sizes. Neither the
/// table of persons nor the journal tells a canary from anybody else until one is opened. Any
/// thread may call.
class Canaries {
  public:
    static constexpr std::size_t kMaxCopyName = 32;
    static constexpr std::size_t kMaxPersons = 1'000;      ///< In one call, to plant or to read.
    static constexpr std::size_t kMaxCanaries = 100'000;   ///< In all.
    static constexpr std::size_t kMaxEntryBytes = 65'536;  ///< All that is kept of one canary.
    static constexpr std::size_t kMaxAnswerBytes = 2'000'000;  ///< Of values, in one reading.

    struct Parts {
        PersonStore& persons;
        const KeyRing& keys;
        const Sealer& sealer;
        Recorder& recorder;
        Alarms& alarms;
        JournalMark& mark;
        const Clock& clock;
        Random& random;
    };
    /// Reads who the canaries are. kCorrupt if the register does not open, or has gaps, or more
    /// than the journal's lines say were planted; an alarm and a line if it has fewer.
    static Result<std::unique_ptr<Canaries>> open(Parts parts,
                                                  std::size_t max_canaries = kMaxCanaries);

    struct Planted {
        Bytes enrolment;  ///< Good for the compartment that they were planted for.
        std::vector<Bytes> sealed;
        Bytes email_index;  ///< Of the value of "email"; empty if there is none.
    };
    /// Makes one person for each list of values, all of fields of `compartment`, seals the values
    /// and remembers the persons. The journal says how many, not who or for which copy.
    /// kInvalidArgument for a name or values beyond the bounds, kExhausted at kMaxCanaries; nothing
    /// is made then.
    Result<std::vector<Planted>> plant(std::string_view copy, std::string_view compartment,
                                       const std::vector<std::vector<PlainValue>>& persons);

    /// At most `limit` (1 to kMaxPersons) of one copy, or of all if `copy` is empty, with numbers
    /// beyond `after`; fewer, but at least one, where their values are long. None: there are no
    /// more. The reading is journaled first.
    Result<std::vector<Canary>> read(std::string_view copy, std::uint64_t after, std::size_t limit);

    /// The cause of the alarm that opening this person raises, "canary casework copy-1"; empty for
    /// a person who is none.
    std::string alarm_of(const Person& person) const;

    /// The alarm line beside `about`, which opened a canary. Every opening has its own.
    static journal::Entry opened(std::string_view cause, journal::Entry about);
    /// The same for what was refused, "canary asked casework copy-1": at most one a minute of the
    /// same cause and actor. Only inside the recorder's compose.
    std::optional<journal::Entry> refused(std::string_view cause, const journal::Entry& about,
                                          Time at);

  private:
    Canaries(Parts parts, std::size_t max_canaries) : parts_(parts), max_(max_canaries) {}
    Status load();
    Status count_anew();
    Status compare_with_journal();
    Status lose(std::uint64_t count);
    Bytes boxed_count(std::uint64_t count) const;
    Status check(std::string_view compartment,
                 const std::vector<std::vector<PlainValue>>& persons) const;
    Result<std::vector<Planted>> make(const std::vector<Person>& people,
                                      registry::Compartment compartment,
                                      const std::vector<std::vector<PlainValue>>& persons) const;
    Status store(const std::vector<Canary>& canaries);
    void remember(const Canary& canary);
    Result<std::vector<Canary>> page(std::uint64_t after, std::size_t limit) const;

    const Parts parts_;
    const std::size_t max_;
    std::mutex planting_;  ///< Guards next_.
    std::uint64_t next_ = 1;
    struct Known {
        RootId root;
        std::shared_ptr<const std::string> cause;  ///< Shared by those of one copy.
    };
    mutable std::shared_mutex mutex_;
    std::map<std::uint32_t, Known> known_;  ///< By ordinal.
    std::map<std::string, std::shared_ptr<const std::string>, std::less<>> causes_;
};

}  // namespace cloison::keeper
