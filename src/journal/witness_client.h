#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "journal/cosignature.h"
#include "journal/witness_request.h"
#include "net/http_client.h"

namespace cloison::journal {

/// A witness as the log's operator names it: its vkey and where it listens.
struct WitnessAddress {
    WitnessVerifier verifier;
    std::string url;  ///< add-checkpoint is posted below it: http://127.0.0.1:9000

    /// "<vkey> <url>", kInvalidArgument saying what is wrong.
    static Result<WitnessAddress> parse(std::string_view text);
    std::string text() const { return verifier.vkey() + ' ' + url; }  ///< What parse() reads.
    bool operator==(const WitnessAddress&) const = default;
};

/// What came of asking one witness for one checkpoint.
struct WitnessAnswer {
    enum class Outcome {
        kCosigned,
        kFailed,     ///< Not reached, or it refused for a reason of its own; asking again may help.
        kAhead,      ///< It has cosigned a larger tree of this log than it was shown.
        kDisagrees,  ///< It has cosigned a tree that the shown one is no continuation of.
    };
    Outcome outcome = Outcome::kFailed;
    std::string line;        ///< The cosignature, with its newline; verified.
    Time at;                 ///< When it cosigned.
    std::string problem;     ///< Words for staff, unless cosigned.
    std::uint64_t size = 0;  ///< If ahead: the size of its tree.
};

/// The log's side of C2SP tlog-witness for one witness. One thread at a time.
class WitnessClient {
  public:
    /// Posts a body and returns the answer; for tests. An error is that the witness was not
    /// reached.
    using Post = std::function<Result<net::HttpResponse>(std::string body)>;
    /// Proves consistency between two sizes of the log.
    using Prove = std::function<Result<std::vector<crypto::Hash>>(std::uint64_t old_size,
                                                                  std::uint64_t size)>;

    /// Over HTTP; each request takes at most `timeout`. `ca_file` as HttpClientLimits has it.
    WitnessClient(WitnessAddress address, Duration timeout, std::string ca_file = {});
    WitnessClient(WitnessAddress address, Post post)
        : address_(std::move(address)), post_(std::move(post)) {}

    /// Asks for a cosignature over a signed note of `size` entries. Says first what size it thinks
    /// that the witness has, and once more after being told the right one.
    WitnessAnswer cosign(const std::string& note, std::uint64_t size, const Prove& prove);

    const WitnessAddress& address() const { return address_; }

  private:
    WitnessAnswer ask(const std::string& note, std::uint64_t size, const Prove& prove,
                      std::optional<std::uint64_t>& told);
    WitnessAnswer take(const net::HttpResponse& response, const std::string& note,
                       std::uint64_t size) const;

    const WitnessAddress address_;
    const Post post_;
    std::uint64_t known_size_ = 0;  ///< What the witness is thought to have cosigned last.
};

}  // namespace cloison::journal
