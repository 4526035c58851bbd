#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "base/seeded_random.h"
#include "journal/simulated_disk_for_test.h"
#include "journal/witness.h"
#include "journal/witness_support_for_test.h"

namespace cloison::journal {

inline const Path kDirectory = "/w";
inline constexpr std::string_view kName = "example.org/w1";

inline std::string vkey_of(std::uint8_t seed) {
    return note_vkey(kTestOrigin, test_key(seed).verify_key());
}

/// The line of a note's last signature.
inline std::string last_line(const std::string& note) {
    return note.substr(note.rfind('\n', note.size() - 2) + 1);
}

/// A line with the name and id of its key, and a signature of that size that is none.
inline std::string with_another_signature(std::string line) {
    const std::size_t begin = line.rfind(' ') + 1;
    auto bytes = *base64_decode(line.substr(begin, line.size() - begin - 1));
    bytes.back() ^= 1;
    return line.substr(0, begin) + base64_encode(bytes) + '\n';
}

/// A witness of one log.
class WitnessTest : public ::testing::Test {
  protected:
    void SetUp() override {
        crypto::initialize();
        set_log_level(LogLevel::kError);
        make(disk);
        open();
    }
    static void make(FileSystem& files) {
        SeededRandom random(9);
        ASSERT_TRUE(Witness::create(files, kDirectory, kName, random));
        ASSERT_EQ(Witness::add_log(files, kDirectory, TestLog::vkey())->origin, kTestOrigin);
    }
    void open() {
        witness.reset();
        auto opened = Witness::open(disk, kDirectory, clock);
        ASSERT_TRUE(opened) << opened.error().message;
        witness = std::move(*opened);
    }
    int status(const WitnessRequest& request) {
        return witness->add_checkpoint(request.text()).status;
    }
    int status(const std::string& body) { return witness->add_checkpoint(body).status; }
    /// Signed with another key than the log's first.
    WitnessRequest request_by(std::uint8_t seed, std::uint64_t old_size, std::uint64_t size) const {
        return {old_size, log.proof(old_size, size),
                sign_note(log.text(size), kTestOrigin, test_key(seed))};
    }
    /// Where it is remembered what was cosigned last, of the only log.
    static Path latest_of(FileSystem& files) {
        const auto names = *files.list(kDirectory / "logs");
        for (const std::string& name : names)
            if (name.ends_with(".latest")) return kDirectory / "logs" / name;
        return {};
    }

    SimulatedDisk disk;
    ManualClock clock{from_unix_ms(1'776'000'000'000)};
    std::unique_ptr<Witness> witness;
    const TestLog log{40};
};

}  // namespace cloison::journal
