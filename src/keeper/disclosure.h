#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "keeper/budget.h"
#include "keeper/canaries.h"
#include "keeper/erased_persons.h"
#include "keeper/keeper.h"
#include "keeper/recorder.h"
#include "keeper/refusals.h"
#include "keeper/sealing.h"

namespace cloison::keeper {

inline constexpr std::size_t kMaxDisclosures = 1'000;  ///< In one call.

/// One person's sealed values, and the grant to open them; views into the request.
struct DisclosureRequest {
    std::string_view grant;
    ByteView handle;  ///< With a bulk grant: for whom.
    std::vector<SealedValue> values;
};

struct Receipt {
    std::uint64_t index = 0;
    crypto::Hash leaf{};
    Time at;
};

/// What came of one request: its values and the receipt of the line that says so, or an error.
struct Disclosure {
    std::optional<Error> error;
    std::vector<Secret> values;
    Receipt receipt;
};

/// What came of one call.
struct Disclosures {
    std::vector<Disclosure> each;  ///< In the order of the requests.
    Bytes signature;               ///< Over all receipts (keeper/client/receipt.h); empty if none.
};

/// The only way from sealed values to plaintext that leaves the keeper. Any thread may call.
class Discloser {
  public:
    struct Parts {
        GrantChecker& grants;
        const KeyRing& keys;
        const PersonStore& persons;
        const Sealer& sealer;
        const registry::Registry& registry;
        Budgets& budgets;    ///< Used inside the recorder's compose only.
        Refusals& refusals;  ///< And so are these.
        const ErasedPersons& erased;
        Alarms& alarms;
        Recorder& recorder;
        Canaries& canaries;
        const Clock& clock;
        Random& random;
    };
    Discloser(Parts parts, std::function<void(DisclosureStep)> on_step)
        : parts_(parts), on_step_(std::move(on_step)) {}

    /// Each request succeeds or fails for itself; the call fails as a whole only if it is malformed
    /// or the journal cannot be written, and then nothing is released. Values of one person under
    /// one grant share one line with the union of their fields.
    ///
    /// Values are opened in memory before the budget is charged and the line is written: a value
    /// that does not open is an error, not a disclosure, and no line says that it was disclosed.
    ///
    /// Lines of alarms about canaries, opened or refused, come behind the other lines of the call,
    /// durable with them: no gap between the indexes in its receipts warns the caller.
    ///
    /// `done` is called once, perhaps before `open` returns, perhaps later on another thread.
    using Done = std::function<void(Result<Disclosures>)>;
    void open(std::string_view door, const std::vector<DisclosureRequest>& requests, Done done);

  private:
    struct Work;
    struct Line;
    struct Opening;
    void verify(std::string_view door, const DisclosureRequest& request, Work& work) const;
    Status permit(std::string_view door, const DisclosureRequest& request, Work& work) const;
    Result<Person> person_of(const CheckedGrant& grant, ByteView handle) const;
    void take_keys(std::vector<Work>& works) const;
    void unseal(const DisclosureRequest& request, Work& work) const;
    std::vector<Line> group(std::vector<Work>& works) const;
    std::vector<Line> failed_canaries(const std::vector<Work>& works,
                                      const std::vector<Line>& lines) const;
    std::vector<journal::Entry> charge(std::vector<Line>& lines, Time at);
    std::vector<journal::Entry> alarms(const std::vector<Line>& lines,
                                       const std::vector<Line>& failed, Time at);
    static std::optional<crypto::Hash> receipts(const std::vector<Work>& works,
                                                std::vector<Line>& lines,
                                                const Recorder::Lines& composed,
                                                std::size_t offset);
    Disclosures release(std::vector<Work> works, const std::vector<Line>& lines,
                        Recorder::Lines written) const;
    void step(DisclosureStep step) const {
        if (on_step_) on_step_(step);
    }

    const Parts parts_;
    const std::function<void(DisclosureStep)> on_step_;
};

}  // namespace cloison::keeper
