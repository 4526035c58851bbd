#pragma once

#include <string>
#include <vector>

#include "keeper/cosigner.h"
#include "keeper/grant_checker.h"
#include "keeper/history.h"

namespace cloison::keeper {

/// "Who has seen my data?": the journal's lines about the person of a self_service grant, and
/// proofs of them. Reading one's own lines discloses nothing and is not journaled. Any thread may
/// call.
class OwnLines {
  public:
    OwnLines(GrantChecker& grants, History& history, const journal::Journal& journal,
             const Cosigner& cosigner)
        : grants_(grants), history_(history), journal_(journal), cosigner_(cosigner) {}

    Result<std::vector<History::Line>> read(std::string_view door, std::string_view grant,
                                            std::uint64_t before, std::size_t limit);
    /// A tlog-proof of one of these lines, against the newest checkpoint that witnesses cosigned
    /// if it covers the line, and the current one otherwise; kNotFound for any other line.
    Result<std::string> prove(std::string_view door, std::string_view grant, std::uint64_t index);

  private:
    Result<Person> self(std::string_view door, std::string_view grant) const;

    GrantChecker& grants_;
    History& history_;
    const journal::Journal& journal_;
    const Cosigner& cosigner_;
};

}  // namespace cloison::keeper
