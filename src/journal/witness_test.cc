#include "journal/witness.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "journal/cosignature.h"
#include "journal/witness_fixture_for_test.h"

namespace cloison::journal {
namespace {

TEST_F(WitnessTest, CosignsALogThatGrows) {
    const auto verifier = *WitnessVerifier::parse(*Witness::vkey(disk, kDirectory));
    EXPECT_EQ(verifier.name, kName);
    std::uint64_t old_size = 0;
    for (const std::uint64_t size : {0, 1, 2, 7, 7, 8, 33, 40}) {
        clock.advance(Duration(61'000));
        const auto answer = witness->add_checkpoint(log.request(old_size, size).text());
        ASSERT_EQ(answer.status, 200) << size << ": " << answer.body;
        EXPECT_EQ(std::count(answer.body.begin(), answer.body.end(), '\n'), 1);
        const auto at = cosigned_at(log.note(size) + answer.body, verifier);
        ASSERT_TRUE(at) << at.error().message;
        EXPECT_EQ(*at, clock.now());
        old_size = size;
    }
}

TEST_F(WitnessTest, EveryPairOfSizesIsCosigned) {
    for (std::uint64_t old_size = 0; old_size <= 17; ++old_size)
        for (std::uint64_t size = old_size; size <= 17; ++size) {
            SimulatedDisk other;
            make(other);
            auto opened = *Witness::open(other, kDirectory, clock);
            ASSERT_EQ(opened->add_checkpoint(log.request(0, old_size).text()).status, 200);
            ASSERT_EQ(opened->add_checkpoint(log.request(old_size, size).text()).status, 200)
                << old_size << " to " << size;
        }
}

TEST_F(WitnessTest, UnknownOriginIsNotFound) {
    const std::string text = Checkpoint{"example.org/other", 1, log.root(1)}.text();
    EXPECT_EQ(status(WitnessRequest{0, {}, sign_note(text, "example.org/other", test_key())}), 404);
    ASSERT_TRUE(Witness::add_log(disk, kDirectory,
                                 note_vkey("example.org/other", test_key().verify_key())));
    EXPECT_EQ(status(WitnessRequest{0, {}, sign_note(text, "example.org/other", test_key())}), 200)
        << "a log is known as soon as it is added";
}

TEST_F(WitnessTest, SignatureOfAnotherKeyIsForbidden) {
    EXPECT_EQ(status(WitnessRequest{0, {}, sign_note(log.text(5), kTestOrigin, test_key(2))}), 403);
    // The right key, another text.
    std::string note = log.note(5);
    note.replace(note.find("\n5\n"), 3, "\n6\n");
    EXPECT_EQ(status(WitnessRequest{0, {}, note}), 403);
    EXPECT_EQ(status(log.request(0, 6)), 200) << "nothing was stored";
}

TEST_F(WitnessTest, OldSizeBeyondTheCheckpointIsMalformed) {
    EXPECT_EQ(status(WitnessRequest{6, {}, log.note(5)}), 400);
}

TEST_F(WitnessTest, AnotherOldSizeIsAConflictThatTellsTheSize) {
    const auto first = witness->add_checkpoint(log.request(3, 5).text());
    EXPECT_EQ(first.status, 409);
    EXPECT_EQ(first.content_type, "text/x.tlog.size");
    EXPECT_EQ(first.body, "0\n");
    ASSERT_EQ(status(log.request(0, 5)), 200);
    EXPECT_EQ(witness->add_checkpoint(log.request(0, 9).text()).body, "5\n");
    EXPECT_EQ(witness->add_checkpoint(log.request(7, 9).text()).body, "5\n");
    // A smaller tree after a larger one.
    EXPECT_EQ(witness->add_checkpoint(log.request(2, 4).text()).body, "5\n");
    EXPECT_EQ(status(log.request(5, 9)), 200);
}

TEST_F(WitnessTest, AnotherRootOfTheSameSizeIsAConflict) {
    ASSERT_EQ(status(log.request(0, 5)), 200);
    const TestLog fork(40, 4, 1);
    const auto answer = witness->add_checkpoint(fork.request(5, 5).text());
    EXPECT_EQ(answer.status, 409);
    EXPECT_EQ(answer.content_type, "text/x.tlog.size");
    EXPECT_EQ(answer.body, "5\n");
    EXPECT_EQ(status(log.request(5, 5)), 200);
}

TEST_F(WitnessTest, ATreeThatDoesNotFitIsUnprocessable) {
    ASSERT_EQ(status(log.request(0, 5)), 200);
    const TestLog fork(40, 4, 1);
    EXPECT_EQ(status(fork.request(5, 9)), 422);
    EXPECT_EQ(status(WitnessRequest{5, fork.proof(5, 9), log.note(9)}), 422);
    EXPECT_EQ(status(WitnessRequest{5, {}, log.note(9)}), 422);
    auto longer = log.request(5, 9);
    longer.proof.push_back(log.root(1));
    EXPECT_EQ(status(longer), 422);
    auto shorter = log.request(5, 9);
    shorter.proof.pop_back();
    EXPECT_EQ(status(shorter), 422);
    auto same = log.request(5, 5);
    same.proof.push_back(log.root(1));
    EXPECT_EQ(status(same), 422);
    EXPECT_EQ(status(log.request(5, 9)), 200);
}

TEST_F(WitnessTest, ProofFromNothingMustBeEmpty) {
    auto request = log.request(0, 9);
    request.proof.push_back(log.root(1));
    EXPECT_EQ(status(request), 422);
}

TEST_F(WitnessTest, EmptyTreeWithAnotherRootIsAConflict) {
    const std::string text = Checkpoint{std::string(kTestOrigin), 0, log.root(1)}.text();
    EXPECT_EQ(status(WitnessRequest{0, {}, sign_note(text, kTestOrigin, test_key())}), 409);
}

TEST_F(WitnessTest, MalformedRequestsAreNamedSo) {
    const std::string good = log.request(0, 5).text();
    ASSERT_TRUE(good.starts_with("old 0\n\n"));
    const std::string note = log.note(5);
    const std::string hash = base64_encode(log.root(1));
    for (const std::string& body : std::vector<std::string>{
             "",
             "\n",
             "old",
             "old 0",
             "old 0\n",
             "old  0\n\n" + note,
             "old 00\n\n" + note,
             "old -1\n\n" + note,
             "old +1\n\n" + note,
             "old 18446744073709551616\n\n" + note,
             "Old 0\n\n" + note,
             "old 0\r\n\n" + note,
             "old 0\n" + note,
             "old 0\n\n",
             "old 1\nnothing\n\n" + note,
             "old 1\n" + hash.substr(1) + "\n\n" + note,
             "old 1\n" + hash + " \n\n" + note,
             "old 1\n" + base64_encode(Bytes(31)) + "\n\n" + note,
             "old 0\n\n" + log.text(5),
             "old 0\n\n" + note.substr(0, note.size() - 1),
             "old 0\n\nexample.org/keeper\n5\n\n" + note.substr(note.find("\u2014"))})
        EXPECT_EQ(status(body), 400) << body;
    EXPECT_EQ(status(good), 200);
}

TEST_F(WitnessTest, SixtyThreeProofLinesAreReadAndNoMore) {
    ASSERT_EQ(status(log.request(0, 5)), 200);
    auto request = log.request(5, 9);
    request.proof.assign(63, log.root(1));
    EXPECT_EQ(status(request), 422) << "read, and found not to fit";
    request.proof.push_back(log.root(1));
    EXPECT_EQ(status(request), 400);
}

TEST_F(WitnessTest, RequestsOfMoreThan64KiBAreTooLarge) {
    std::string body = log.request(0, 5).text();
    const std::string line = "\u2014 someone " + base64_encode(Bytes(40'000)) + "\n";
    body += line;
    ASSERT_LE(body.size(), WitnessRequest::kMaxBytes);
    const std::size_t room = WitnessRequest::kMaxBytes - body.size();
    const std::string name((room - std::string("\u2014  AAAAAAA=\n").size()), 'n');
    body += "\u2014 " + name + " AAAAAAA=\n";
    ASSERT_EQ(body.size(), WitnessRequest::kMaxBytes);
    EXPECT_EQ(status(body), 200);
    EXPECT_EQ(status(body + "\n"), 413);
}

TEST_F(WitnessTest, RemembersAfterARestart) {
    ASSERT_EQ(status(log.request(0, 9)), 200);
    open();
    EXPECT_EQ(witness->add_checkpoint(log.request(0, 12).text()).body, "9\n");
    EXPECT_EQ(status(TestLog(40, 3, 1).request(9, 12)), 422);
    EXPECT_EQ(status(log.request(9, 12)), 200);
}

TEST_F(WitnessTest, LostOrDamagedMemoryIsNeverAnEmptyLog) {
    ASSERT_EQ(status(log.request(0, 9)), 200);
    const Path path = latest_of(disk);
    const Bytes good = *disk.read_file(path, 1 << 20);

    ASSERT_TRUE(disk.remove(path));
    EXPECT_EQ(status(log.request(0, 12)), 503);
    const auto another = Witness::add_log(disk, kDirectory, vkey_of(2), Witness::Keys::kAlso);
    ASSERT_FALSE(another) << "a key more does not make the log a new one";
    EXPECT_EQ(another.error().code, ErrorCode::kCorrupt);
    EXPECT_FALSE(*disk.exists(path));
    for (std::size_t at = 0; at < good.size(); ++at) {
        Bytes bad = good;
        bad[at] ^= 1;
        ASSERT_TRUE(disk.write_file_atomically(path, bad, 0600));
        EXPECT_EQ(status(log.request(0, 12)), 503) << at;
        EXPECT_EQ(status(log.request(9, 12)), 503) << at;
    }
    ASSERT_TRUE(disk.write_file_atomically(path, good, 0600));
    EXPECT_EQ(status(log.request(9, 12)), 200);
}

TEST_F(WitnessTest, WhatItDidNotSignItselfIsNoMemory) {
    ASSERT_EQ(status(log.request(0, 9)), 200);
    const Path path = latest_of(disk);
    const std::string good = to_string(*disk.read_file(path, 1 << 20));
    ASSERT_TRUE(good.starts_with(log.note(9) + "\n\u2014 example.org/w1 ")) << good;
    // An answer is a signature over the checkpoint's text, not over a note.
    clock.advance(Duration(1'000));
    const std::string answer = witness->add_checkpoint(log.request(9, 9).text()).body;
    const std::string by_other = cosign(log.note(5), "example.org/w2", test_key(7), clock.now());
    const std::string by_other_in_its_name = cosign(log.note(5), kName, test_key(7), clock.now());
    for (const std::string& bad :
         {log.note(5), log.text(5), log.note(5) + answer, log.note(9) + '\n' + answer,
          log.note(5) + '\n' + answer, log.note(5) + '\n' + last_line(good),
          log.note(5) + '\n' + by_other, log.note(5) + '\n' + by_other_in_its_name, std::string(),
          good.substr(0, good.size() - 1), good + good}) {
        ASSERT_TRUE(disk.write_file_atomically(path, as_bytes(bad), 0600));
        EXPECT_EQ(status(log.request(5, 12)), 503) << bad;
        EXPECT_EQ(status(log.request(9, 12)), 503) << bad;
        EXPECT_EQ(Witness::logs(disk, kDirectory)->front().cosigned.error().code,
                  ErrorCode::kCorrupt);
    }
    ASSERT_TRUE(disk.write_file_atomically(path, as_bytes(good), 0600));
    EXPECT_EQ(status(log.request(9, 12)), 200);
}

TEST_F(WitnessTest, MemoryOfOneLogIsNotThatOfAnother) {
    ASSERT_EQ(status(log.request(0, 9)), 200);
    const Bytes of_first = *disk.read_file(latest_of(disk), 1 << 20);
    ASSERT_TRUE(Witness::add_log(disk, kDirectory,
                                 note_vkey("example.org/other", test_key().verify_key())));
    // Also in its own place: it is the same there.
    const auto names = *disk.list(kDirectory / "logs");
    for (const std::string& name : names) {
        if (!name.ends_with(".latest")) continue;
        ASSERT_TRUE(disk.write_file_atomically(kDirectory / "logs" / name, of_first, 0600));
    }
    const std::string text = Checkpoint{"example.org/other", 9, log.root(9)}.text();
    EXPECT_EQ(status(WitnessRequest{9, {}, sign_note(text, "example.org/other", test_key())}), 503);
    EXPECT_EQ(status(log.request(9, 12)), 200);
}

TEST_F(WitnessTest, WhateverIsCosignedIsReadBack) {
    // As many signatures as a note may have, also lines in the witness's own name.
    const auto own = *WitnessVerifier::parse(*Witness::vkey(disk, kDirectory));
    auto request = log.request(0, 5);
    request.note += witness->add_checkpoint(request.text()).body;
    request.note += with_another_signature(last_line(request.note));
    request.old_size = 5;
    for (int i = 3; i < 64; ++i)
        request.note += "\u2014 someone " + base64_encode(Bytes(68)) + "\n";
    EXPECT_EQ(status(request), 200);
    EXPECT_EQ(status(log.request(5, 9)), 200);
    // As long a note, in as long a request, as there can be, and as long a name.
    SimulatedDisk other;
    SeededRandom random(9);
    ASSERT_TRUE(Witness::create(other, kDirectory, std::string(Witness::kMaxName, 'w'), random));
    ASSERT_TRUE(Witness::add_log(other, kDirectory, TestLog::vkey()));
    const auto opened = *Witness::open(other, kDirectory, clock);
    auto largest = log.request(0, 5);
    const std::size_t room = WitnessRequest::kMaxBytes - largest.text().size();
    largest.note += "\u2014 " + std::string(room - std::string("\u2014  AAAAAAA=\n").size(), 'n') +
                    " AAAAAAA=\n";
    ASSERT_EQ(largest.text().size(), WitnessRequest::kMaxBytes);
    EXPECT_EQ(opened->add_checkpoint(largest.text()).status, 200);
    EXPECT_EQ(opened->add_checkpoint(log.request(5, 9).text()).status, 200);
}

TEST_F(WitnessTest, OneProcessHasTheDirectory) {
    const auto second = Witness::open(disk, kDirectory, clock);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, ErrorCode::kConflict);
}

/// Lets two requests that read what was cosigned last meet there, if nothing keeps them apart.
class MeetingPlace : public SimulatedDisk {
  public:
    Result<Bytes> read_file(const Path& path, std::size_t max_size) override {
        auto content = SimulatedDisk::read_file(path, max_size);
        if (path.extension() != ".latest") return content;
        std::unique_lock lock(mutex_);
        ++readers_;
        met_.notify_all();
        met_.wait_for(lock, std::chrono::milliseconds(100), [this] { return readers_ == 2; });
        return content;
    }

  private:
    std::mutex mutex_;
    std::condition_variable met_;
    int readers_ = 0;
};

TEST_F(WitnessTest, RacingForksGetOneAnswerBetweenThem) {
    const TestLog fork(40, 0, 1);
    const std::string requests[] = {log.request(0, 5).text(), fork.request(0, 6).text()};
    MeetingPlace place;
    make(place);
    const auto racing = *Witness::open(place, kDirectory, clock);
    std::atomic<int> cosigned = 0;
    std::vector<std::thread> threads;
    for (const std::string& request : requests)
        threads.emplace_back([&] {
            if (racing->add_checkpoint(request).status == 200) ++cosigned;
        });
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(cosigned, 1);
}

/// What was cosigned over the whole life of a witness must be prefixes of one another.
struct Word {
    int fork;
    std::uint64_t size;
};

TEST_F(WitnessTest, NeverCosignsTwoTreesThatDoNotFitUnderAnyFault) {
    constexpr std::uint64_t kCommon = 6;
    const TestLog forks[] = {TestLog(24, kCommon, 0), TestLog(24, kCommon, 1)};
    int cosigned_after_fault = 0;
    for (int seed = 0; seed < 400; ++seed) {
        SeededRandom random(static_cast<std::uint64_t>(seed));
        SimulatedDisk faulty;
        make(faulty);
        auto opened = Witness::open(faulty, kDirectory, clock);
        ASSERT_TRUE(opened);
        auto current = std::move(*opened);
        std::vector<Word> words;
        std::uint64_t told = 0;
        bool failed = false;
        for (int step = 0; step < 30; ++step) {
            if (random.uniform(4) == 0) {
                using Fault = SimulatedDisk::Fault;
                static constexpr Fault kFaults[] = {Fault::kBefore, Fault::kHalf, Fault::kAfter};
                faulty.arm(1, kFaults[random.uniform(3)], random.uniform(2) == 0);
            }
            const int fork = static_cast<int>(random.uniform(2));
            const std::uint64_t old_size = random.uniform(3) == 0 ? random.uniform(24) : told;
            const std::uint64_t size = old_size + random.uniform(24 - old_size);
            const auto answer = current->add_checkpoint(forks[fork].request(old_size, size).text());
            if (answer.status == 200) {
                words.push_back({fork, size});
                told = size;
                cosigned_after_fault += failed ? 1 : 0;
            }
            if (answer.status == 409) told = std::stoull(answer.body);
            failed = failed || answer.status == 503;
            faulty.disarm();
            if (random.uniform(5) == 0) {
                current.reset();
                faulty.cut_power(random.uniform(2) == 0 ? nullptr : &random);
                auto again = Witness::open(faulty, kDirectory, clock);
                ASSERT_TRUE(again) << again.error().message;
                current = std::move(*again);
            }
        }
        for (std::size_t i = 1; i < words.size(); ++i) {
            ASSERT_LE(words[i - 1].size, words[i].size) << "seed " << seed << ": it shrank";
            for (std::size_t j = 0; j < i; ++j)
                ASSERT_TRUE(words[j].size <= kCommon || words[j].fork == words[i].fork)
                    << "seed " << seed << ": sizes " << words[j].size << " and " << words[i].size;
        }
    }
    EXPECT_GT(cosigned_after_fault, 100);
}

TEST_F(WitnessTest, FailedStoreIsNotCosigned) {
    using Fault = SimulatedDisk::Fault;
    for (const Fault fault : {Fault::kBefore, Fault::kHalf, Fault::kAfter}) {
        SimulatedDisk faulty;
        make(faulty);
        auto opened = *Witness::open(faulty, kDirectory, clock);
        faulty.arm(1, fault, false);
        EXPECT_EQ(opened->add_checkpoint(log.request(0, 5).text()).status, 503);
        // Not told: 0 or 5, but nothing else.
        const auto answer = opened->add_checkpoint(log.request(0, 9).text());
        if (fault == Fault::kBefore)
            EXPECT_EQ(answer.status, 200);
        else
            EXPECT_EQ(answer.body, "5\n");
    }
}

}  // namespace
}  // namespace cloison::journal
