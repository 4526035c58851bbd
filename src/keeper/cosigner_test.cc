#include "keeper/cosigner.h"

#include <gtest/gtest.h>

#include <atomic>
#include <map>

#include "base/log.h"
#include "base/seeded_random.h"
#include "journal/fsck.h"
#include "journal/note.h"
#include "journal/proof.h"
#include "journal/simulated_disk_for_test.h"
#include "journal/support_for_test.h"
#include "journal/witness.h"
#include "keeper/support_for_test.h"

namespace cloison::keeper {
namespace {

using journal::SimulatedDisk;

const Path kJournal = "/j";

/// Three witnesses, each of which can be made to fail, and a journal.
class CosignerTest : public ::testing::Test {
  protected:
    static constexpr int kWitnesses = 3;

    void SetUp() override {
        log = *journal::open_journal(disk, kJournal);
        add_lines(5);
        for (int i = 0; i < kWitnesses; ++i) {
            const std::string name = "example.org/w" + std::to_string(i);
            SeededRandom random(static_cast<std::uint64_t>(i) + 20);
            ASSERT_TRUE(journal::Witness::create(witness_disks[i], "/w", name, random));
            ASSERT_TRUE(journal::Witness::add_log(witness_disks[i], "/w", log->verify_key()));
            witnesses[i] = *journal::Witness::open(witness_disks[i], "/w", clock);
            addresses.push_back(*journal::WitnessAddress::parse(
                *journal::Witness::vkey(witness_disks[i], "/w") + " http://127.0.0.1:1"));
        }
    }
    void add_lines(std::uint64_t count) {
        for (std::uint64_t i = 0; i < count; ++i) {
            journal::Entry entry;
            entry.time = clock.now();
            entry.person = static_cast<std::uint32_t>(log->size());
            ASSERT_TRUE(log->append({journal::encode_entry(entry)}));
        }
    }
    std::unique_ptr<Cosigner> make(std::size_t quorum, CosignedCheckpoint last = {}) {
        return make_for(*log, disk, quorum, std::move(last));
    }
    std::unique_ptr<Cosigner> make_for(journal::Journal& which, FileSystem& files,
                                       std::size_t quorum, CosignedCheckpoint last = {}) {
        Cosigner::Options options;
        options.witnesses = addresses;
        options.quorum = quorum;
        options.in_background = false;
        options.connect = [this](const journal::WitnessAddress& address) {
            const int i = address.verifier.name.back() - '0';
            return journal::WitnessClient(
                address, [this, i](const std::string& body) -> Result<net::HttpResponse> {
                    ++asked[i];
                    if (down[i]) return fail(ErrorCode::kUnavailable, "It is down.");
                    const auto answer = witnesses[i]->add_checkpoint(body);
                    return net::HttpResponse::text(answer.status, answer.body);
                });
        };
        return std::make_unique<Cosigner>(std::move(options), std::move(last), kJournal, which,
                                          files, clock, [this](std::string_view cause) -> Status {
                                              if (no_room)
                                                  return fail(ErrorCode::kUnavailable,
                                                              "Too many lines are waiting.");
                                              alarms.emplace_back(cause);
                                              return {};
                                          });
    }
    void next_round(Cosigner& cosigner) {
        clock.advance(Duration(60'000));
        cosigner.tick();
    }
    CosignedCheckpoint stored() {
        auto read = read_cosigned(disk, kJournal, *log);
        EXPECT_TRUE(read) << read.error().message;
        return read ? *read : CosignedCheckpoint{};
    }
    int signers(const std::string& note) const {
        int count = 0;
        for (const auto& address : addresses)
            if (journal::cosigned_at(note, address.verifier)) ++count;
        return count;
    }
    ManualClock clock{from_unix_ms(1'776'000'000'000)};
    SimulatedDisk disk;
    std::unique_ptr<journal::Journal> log;
    SimulatedDisk witness_disks[kWitnesses];
    std::unique_ptr<journal::Witness> witnesses[kWitnesses];
    std::vector<journal::WitnessAddress> addresses;
    std::atomic<int> asked[kWitnesses] = {};
    bool down[kWitnesses] = {};
    bool no_room = false;  ///< In the journal, for an alarm.
    std::vector<std::string> alarms;
};

TEST_F(CosignerTest, StoresACheckpointThatEnoughWitnessesCosigned) {
    const auto cosigner = make(2);
    EXPECT_EQ(cosigner->state().witnessed_entries, 0U);
    EXPECT_FALSE(cosigner->covering(0));
    cosigner->tick();
    EXPECT_EQ(stored().size, 5U);
    EXPECT_EQ(signers(stored().note), 3);
    const auto state = cosigner->state();
    EXPECT_EQ(state.witnessed_entries, 5U);
    EXPECT_EQ(state.witnessed_at, clock.now());
    EXPECT_EQ(state.witnesses, 3U);
    EXPECT_EQ(state.needed, 2U);
    EXPECT_EQ(state.warning, "");
    EXPECT_TRUE(cosigner->covering(4));
    EXPECT_FALSE(cosigner->covering(5));
    EXPECT_TRUE(alarms.empty());
}

TEST_F(CosignerTest, AJournalWithACosignedCheckpointPassesFsck) {
    const auto cosigner = make(2);
    cosigner->tick();
    ASSERT_TRUE(disk.exists(kJournal / kCosignedFile));
    const std::string key = log->verify_key();
    log.reset();
    EXPECT_TRUE(journal::fsck(disk, kJournal, key, nullptr));
    EXPECT_TRUE(journal::open_journal(disk, kJournal));
}

TEST_F(CosignerTest, ProofAgainstItNamesTheWitnesses) {
    const auto cosigner = make(3);
    cosigner->tick();
    add_lines(4);
    const auto proof = journal::Proof::parse(*log->prove(2, *cosigner->covering(2)));
    ASSERT_TRUE(proof);
    const auto checkpoint =
        journal::verify_proof(*proof, *journal::NoteVerifier::parse(log->verify_key()));
    ASSERT_TRUE(checkpoint) << checkpoint.error().message;
    EXPECT_EQ(checkpoint->size, 5U);
    EXPECT_EQ(signers(proof->checkpoint), 3);
    EXPECT_EQ(log->prove(5, *cosigner->covering(2)).error().code, ErrorCode::kNotFound);
}

TEST_F(CosignerTest, ARoundIsDueWhenLinesWereAddedAndTheIntervalIsOver) {
    const auto cosigner = make(2);
    cosigner->tick();
    EXPECT_EQ(asked[0], 1);
    next_round(*cosigner);
    EXPECT_EQ(asked[0], 1) << "nothing is new";
    add_lines(1);
    cosigner->tick();
    EXPECT_EQ(asked[0], 2);
    add_lines(1);
    clock.advance(Duration(9'999));
    cosigner->tick();
    EXPECT_EQ(asked[0], 2) << "too early";
    clock.advance(Duration(1));
    cosigner->tick();
    EXPECT_EQ(asked[0], 3);
    EXPECT_EQ(stored().size, 7U);
}

TEST_F(CosignerTest, AClockThatGoesBackDoesNotStopTheRounds) {
    const auto cosigner = make(2);
    cosigner->tick();
    add_lines(1);
    clock.advance(Duration(-3'600'000));
    cosigner->tick();
    EXPECT_EQ(cosigner->state().witnessed_entries, 6U);
}

TEST_F(CosignerTest, OneOfThreeMayFail) {
    const auto cosigner = make(2);
    down[1] = true;
    cosigner->tick();
    EXPECT_EQ(stored().size, 5U);
    EXPECT_EQ(signers(stored().note), 2);
    EXPECT_EQ(cosigner->state().warning, "");
    EXPECT_TRUE(alarms.empty());
}

TEST_F(CosignerTest, TooFewLeaveTheOlderCheckpointAndWarnAfterAWhile) {
    const auto cosigner = make(2);
    cosigner->tick();
    down[0] = down[1] = true;
    add_lines(3);
    for (int i = 0; i < 5; ++i) {
        EXPECT_EQ(cosigner->state().warning, "") << i;
        next_round(*cosigner);
    }
    EXPECT_EQ(stored().size, 5U);
    EXPECT_EQ(signers(stored().note), 3);
    clock.advance(Duration(1));
    EXPECT_NE(cosigner->state().warning.find("not cosigned yet: 3;"), std::string::npos)
        << cosigner->state().warning;
    down[0] = false;
    next_round(*cosigner);
    EXPECT_EQ(stored().size, 8U);
    EXPECT_EQ(cosigner->state().warning, "");
    EXPECT_TRUE(alarms.empty());
}

TEST_F(CosignerTest, AJournalThatRestsIsNoWarning) {
    const auto cosigner = make(2);
    cosigner->tick();
    clock.advance(Duration(3'600'000));
    add_lines(1);
    EXPECT_EQ(cosigner->state().warning, "");
}

TEST_F(CosignerTest, AFailingWitnessIsAskedLessAndLessOften) {
    const auto cosigner = make(2);
    down[0] = true;
    int rounds = 0;
    for (int second = 0; second < 600; ++second) {
        if (second % 10 == 0) {
            add_lines(1);
            ++rounds;
        }
        cosigner->tick();
        clock.advance(Duration(1'000));
    }
    EXPECT_EQ(asked[1], rounds);
    // 0, 10, 30, 70, then every minute.
    EXPECT_EQ(asked[0], 12);
    down[0] = false;
    next_round(*cosigner);
    add_lines(1);
    next_round(*cosigner);
    EXPECT_EQ(signers(stored().note), 3);
}

TEST_F(CosignerTest, RemembersAfterARestart) {
    make(2)->tick();
    const Time then = clock.now();
    clock.advance(Duration(3'600'000));
    const auto cosigner = make(2, stored());
    EXPECT_EQ(cosigner->state().witnessed_entries, 5U);
    EXPECT_EQ(cosigner->state().witnessed_at, then);
    cosigner->tick();
    EXPECT_EQ(asked[0], 3) << "asks once after a start in any case, and is told the size";
}

TEST_F(CosignerTest, SignaturesOfWitnessesThatAreNotAskedAnyMoreDoNotCount) {
    make(2)->tick();
    const auto before = stored();
    addresses.resize(1);
    EXPECT_EQ(make(1, before)->state().witnessed_entries, 5U);
    addresses.clear();
    EXPECT_EQ(make(0, before)->state().witnessed_entries, 0U);
}

TEST_F(CosignerTest, WithoutWitnessesNothingHappens) {
    addresses.clear();
    const auto cosigner = make(0);
    for (int i = 0; i < 20; ++i) next_round(*cosigner);
    EXPECT_EQ(cosigner->state().witnesses, 0U);
    EXPECT_EQ(cosigner->state().warning, "");
    EXPECT_FALSE(*disk.exists(kJournal / kCosignedFile));
}

TEST_F(CosignerTest, AWitnessThatHasSeenMoreIsAnAlarmOnce) {
    make(2)->tick();
    // An older copy of the whole: fewer lines, and no cosigned checkpoint that would say so.
    SimulatedDisk older;
    const auto rolled_back = *journal::open_journal(older, kJournal);
    ASSERT_TRUE(rolled_back->append(*log->read(0, 3)));
    const auto cosigner = make_for(*rolled_back, older, 2);
    no_room = true;
    cosigner->tick();
    EXPECT_TRUE(alarms.empty());
    no_room = false;
    next_round(*cosigner);
    EXPECT_EQ(alarms, std::vector<std::string>(3, "journal rolled back")) << "once there is room";
    EXPECT_NE(cosigner->state().warning.find("example.org/w0"), std::string::npos);
    EXPECT_NE(cosigner->state().warning.find("5 lines"), std::string::npos)
        << cosigner->state().warning;
    next_round(*cosigner);
    EXPECT_EQ(alarms.size(), 3U) << "told once";
    // It grows beyond what they saw, differently: they see that too, and never agree again.
    for (int i = 0; i < 5; ++i) {
        ASSERT_TRUE(rolled_back->append(journal::test_entries(100, 4)));
        next_round(*cosigner);
    }
    ASSERT_EQ(alarms.size(), 6U);
    EXPECT_EQ(alarms.back(), "witness disagrees");
    EXPECT_EQ(cosigner->state().witnessed_entries, 0U);
    EXPECT_FALSE(*older.exists(kJournal / kCosignedFile));
}

TEST_F(CosignerTest, FailuresOfTheDiskLoseOnlyTheRound) {
    const auto cosigner = make(2);
    for (int fault = 0; fault < 3; ++fault) {
        // The journal is published already: the cosigned checkpoint is the next change.
        ASSERT_TRUE(log->publish());
        disk.arm(1, static_cast<SimulatedDisk::Fault>(fault), false);
        next_round(*cosigner);
        disk.disarm();
        EXPECT_EQ(cosigner->state().witnessed_entries,
                  fault == 0 ? 0U : 4U + static_cast<unsigned>(fault))
            << fault;
        next_round(*cosigner);
        EXPECT_EQ(cosigner->state().witnessed_entries, log->size());
        EXPECT_EQ(stored().size, log->size());
        add_lines(1);
    }
}

class ReadCosignedTest : public CosignerTest {
  protected:
    Result<CosignedCheckpoint> read() { return read_cosigned(disk, kJournal, *log); }
    void put(const std::string& note) {
        ASSERT_TRUE(disk.write_file_atomically(kJournal / kCosignedFile, as_bytes(note), 0600));
    }
    std::string signed_by_log(std::uint64_t size, const crypto::Hash& root) {
        return journal::sign_note(
            journal::Checkpoint{std::string(journal::kTestOrigin), size, root}.text(),
            journal::kTestOrigin, journal::test_key());
    }
    crypto::Hash root_now() {
        const auto text = *journal::open_note(*log->checkpoint(),
                                              *journal::NoteVerifier::parse(log->verify_key()));
        return journal::Checkpoint::parse(text)->root;
    }
};

TEST_F(ReadCosignedTest, NoFileIsNone) {
    EXPECT_EQ(read()->size, 0U);
    EXPECT_EQ(read()->note, "");
}

TEST_F(ReadCosignedTest, FitsTheJournalThatGrewFromIt) {
    const auto root = root_now();
    for (const std::uint64_t more : {0, 1, 2, 300}) {
        add_lines(more);
        put(signed_by_log(5, root));
        const auto found = read();
        ASSERT_TRUE(found) << found.error().message;
        EXPECT_EQ(found->size, 5U);
    }
}

TEST_F(ReadCosignedTest, MoreLinesThanThereAreIsCorruptAndSaysWhatItMeans) {
    put(signed_by_log(6, root_now()));
    ASSERT_FALSE(read());
    EXPECT_EQ(read().error().code, ErrorCode::kCorrupt);
    EXPECT_NE(read().error().message.find("older copy"), std::string::npos)
        << read().error().message;
}

TEST_F(ReadCosignedTest, OtherLinesAreCorrupt) {
    auto root = root_now();
    root[7] ^= 1;
    put(signed_by_log(5, root));
    ASSERT_FALSE(read());
    EXPECT_EQ(read().error().code, ErrorCode::kCorrupt);
    add_lines(4);
    EXPECT_EQ(read().error().code, ErrorCode::kCorrupt);
    EXPECT_NE(read().error().message.find("rewritten"), std::string::npos)
        << read().error().message;
}

TEST_F(ReadCosignedTest, ThatOfAnotherKeyOrDamagedIsCorrupt) {
    const std::string good = signed_by_log(5, root_now());
    put(journal::sign_note(
        journal::Checkpoint{std::string(journal::kTestOrigin), 5, root_now()}.text(),
        journal::kTestOrigin, journal::test_key(9)));
    EXPECT_EQ(read().error().code, ErrorCode::kCorrupt);
    for (std::size_t at = 0; at < good.size(); ++at) {
        std::string bad = good;
        bad[at] ^= 1;
        put(bad);
        EXPECT_EQ(read().error().code, ErrorCode::kCorrupt) << at;
    }
}

// The whole keeper: it refuses a journal from which cosigned lines are missing.
TEST(KeeperCosignedTest, RefusesToStartWithFewerLinesThanWereCosigned) {
    TestBed bed;
    bed.start();
    bed.enroll(1);
    ASSERT_TRUE(bed.keeper->publish());
    v1::DescribeRequest request;
    const auto described = bed.as("operator").describe(request);
    ASSERT_TRUE(described);
    EXPECT_EQ(described->witnesses(), 0U);
    EXPECT_EQ(described->witnessed_entries(), 0U);
    const Path file = journal_directory(bed.directory()) / kCosignedFile;
    bed.keeper.reset();
    auto& files = local_file_system();
    ASSERT_TRUE(files.write_file_atomically(file, as_bytes(described->checkpoint()), 0600));
    bed.start();
    bed.keeper.reset();

    const auto seed = *crypto::load_key_file(files, bed.directory() / "journal.key");
    const auto beyond = journal::Checkpoint{TestBed::kOrigin, described->entries() + 1, {}}.text();
    ASSERT_TRUE(files.write_file_atomically(
        file,
        as_bytes(journal::sign_note(beyond, TestBed::kOrigin,
                                    crypto::SigningKey::from_seed(seed.view()))),
        0600));
    bed.options.directory = bed.directory();
    const auto refused = Keeper::open(bed.options, bed.registry, bed.identity.verify_key(), files,
                                      bed.clock, bed.random);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::kCorrupt);
    EXPECT_NE(refused.error().message.find(kCosignedFile), std::string::npos);
}

}  // namespace
}  // namespace cloison::keeper
