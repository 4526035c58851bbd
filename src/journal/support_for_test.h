#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "base/log.h"
#include "base/time.h"
#include "crypto/keys.h"
#include "journal/entry.h"
#include "journal/journal.h"

namespace cloison::journal {

inline constexpr std::string_view kTestOrigin = "example.org/keeper";

inline crypto::SigningKey test_key(std::uint8_t seed = 1) {
    crypto::initialize();
    set_log_level(LogLevel::kError);
    return crypto::SigningKey::from_seed(Bytes(32, seed));
}

/// A line of the journal that is unlike those of other numbers.
inline Bytes test_entry(std::uint64_t number) {
    Entry entry;
    entry.time = from_unix_ms(1'776'000'000'000 + static_cast<std::int64_t>(number));
    entry.person = static_cast<std::uint32_t>(number);
    entry.reason = "r" + std::to_string(number % 7);
    return encode_entry(entry);
}

inline std::vector<Bytes> test_entries(std::uint64_t first, std::uint64_t count) {
    std::vector<Bytes> entries;
    for (std::uint64_t i = 0; i < count; ++i) entries.push_back(test_entry(first + i));
    return entries;
}

using EntryKey = std::shared_ptr<const crypto::BoxKey>;

/// What the entries of a journal are encrypted with, in tests that do.
inline EntryKey test_entry_key(std::uint8_t seed = 5) {
    return std::make_shared<const crypto::BoxKey>(*crypto::BoxKey::from_bytes(Bytes(32, seed)));
}

inline Result<std::unique_ptr<Journal>> open_journal(FileSystem& files, const Path& directory,
                                                     EntryKey entry_key = nullptr) {
    static ManualClock clock(from_unix_ms(1'776'000'000'000));
    Journal::Options options;
    options.directory = directory;
    options.origin = kTestOrigin;
    options.entry_key = std::move(entry_key);
    return Journal::open(std::move(options), files, clock, test_key());
}

/// Appends test entries, each by its number, until the journal has `size`.
inline void grow(Journal& journal, std::uint64_t size) {
    while (journal.size() < size) {
        const std::uint64_t first = journal.size();
        const auto index =
            journal.append(test_entries(first, std::min<std::uint64_t>(4096, size - first)));
        ASSERT_TRUE(index.has_value()) << index.error().message;
        ASSERT_EQ(*index, first);
    }
}

/// Succeeds where the first `size` entries are the test entries.
inline void expect_test_entries(const Journal& journal, std::uint64_t size) {
    ASSERT_GE(journal.size(), size);
    for (std::uint64_t first = 0; first < size; first += Journal::kMaxRead) {
        const auto entries = journal.read(first, Journal::kMaxRead);
        ASSERT_TRUE(entries.has_value()) << entries.error().message;
        ASSERT_EQ(entries->size(),
                  std::min<std::uint64_t>(Journal::kMaxRead, journal.size() - first));
        for (std::uint64_t i = 0; i < entries->size() && first + i < size; ++i)
            ASSERT_EQ((*entries)[i], test_entry(first + i)) << first + i;
    }
}

}  // namespace cloison::journal
