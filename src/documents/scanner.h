#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "base/time.h"

namespace cloison::documents {

struct ScanVerdict {
    bool clean = false;
    std::string signature;  ///< What was found, in the scanner's words; empty if clean.
};

/// A file on its way to the scanner. One thread at a time. Errors, after which the scan is over:
/// kUnavailable if the scanner cannot be reached or gives up, kDeadline if it is too slow,
/// kTooLarge if it refuses to look at that much. None of them means clean.
class Scan {
  public:
    virtual ~Scan() = default;
    virtual Status feed(ByteView piece) = 0;
    virtual Result<ScanVerdict> finish() = 0;  ///< Once, after the last piece.
};

/// clamd's INSTREAM (clamd(8)): the file is streamed, never whole in memory, never on disk here.
/// Safe to use from any thread; each scan has a connection of its own.
class Scanner {
  public:
    struct Options {
        std::string address;  ///< unix:/path or tcp:host:port
        Duration connect_timeout{5'000};
        Duration send_timeout{30'000};     ///< Without a byte taken by the scanner.
        Duration verdict_timeout{60'000};  ///< After the last byte.
    };
    /// kInvalidArgument for an address of another form. Does not connect.
    static Result<std::unique_ptr<Scanner>> create(Options options);
    virtual ~Scanner() = default;
    virtual Result<std::unique_ptr<Scan>> begin() const = 0;
    /// Whether it answers now.
    virtual Status ping() const = 0;
};

}  // namespace cloison::documents
