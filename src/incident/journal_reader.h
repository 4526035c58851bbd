#pragma once

#include <memory>
#include <string>
#include <vector>

#include "incident/scope.h"
#include "keeper/client/keeper_client.h"

namespace cloison::incident {

/// Reads the keeper's journal into a ScopeIndex and answers questions from it.
///
/// Trust: the Merkle root is recomputed from every entry that is read and compared with the signed
/// checkpoint before anything is answered, and what was covered once stays covered: a journal that
/// was cut, rewritten or signed by another key is refused (kCorrupt) and nothing of it is answered.
/// Each question first reads what is new; the keeper journals that reading.
///
/// All functions may be called from any thread; one question is answered at a time.
class JournalReader {
  public:
    struct Options {
        std::string verify_key;  ///< The journal's vkey line; empty: the keeper's own at first use.
        std::uint32_t batch = 10'000;  ///< Entries in one call.
        /// The size and root covered before a restart, if known: the journal must still hold them.
        std::optional<Coverage> covered_before;
    };
    /// `registry` must outlive the reader.
    JournalReader(Options options, keeper::KeeperClient keeper, const registry::Registry& registry);
    ~JournalReader();

    /// `grant` is an `investigate` grant of whoever asks. `known_roles`: judge_fields's `roles` for
    /// an actor of whom the journal may have no line.
    Result<ScopeAnswer> scope(const std::string& grant, const ScopeQuery& query,
                              const std::vector<registry::Role>& known_roles);
    struct Persons {
        std::vector<PersonExposure> persons;
        Coverage covered;
    };
    Result<Persons> persons(const std::string& grant, const ScopeQuery& query);
    struct Lines {
        ScopeIndex::Page page;
        Coverage covered;
    };
    Result<Lines> lines(const std::string& grant, const ScopeQuery& query, std::uint64_t offset,
                        std::size_t limit);

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace cloison::incident
