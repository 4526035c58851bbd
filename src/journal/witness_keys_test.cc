// Which keys a witness trusts, and its own.
#include <gtest/gtest.h>

#include <functional>
#include <optional>
#include <utility>

#include "journal/cosignature.h"
#include "journal/witness_fixture_for_test.h"

namespace cloison::journal {
namespace {

using WitnessKeysTest = WitnessTest;

TEST_F(WitnessKeysTest, SecondKeyOfALogIsTrustedToo) {
    const auto signed_by_second =
        WitnessRequest{0, {}, sign_note(log.text(5), kTestOrigin, test_key(2))};
    ASSERT_TRUE(Witness::add_log(disk, kDirectory, vkey_of(2), Witness::Keys::kAlso));
    EXPECT_EQ(status(signed_by_second), 200);
    EXPECT_EQ(status(log.request(5, 9)), 200);
    EXPECT_EQ(status(WitnessRequest{9, log.proof(9, 12),
                                    sign_note(log.text(12), kTestOrigin, test_key(2))}),
              200);
}

TEST_F(WitnessKeysTest, WrongSignatureOfAKnownKeyIsForbiddenWhateverElseIsThere) {
    ASSERT_TRUE(Witness::add_log(disk, kDirectory, vkey_of(2), Witness::Keys::kAlso));
    const std::string first = last_line(log.note(5));
    const std::string second = last_line(request_by(2, 0, 5).note);
    const std::string stranger = last_line(request_by(3, 0, 5).note);
    const std::string text = log.text(5) + '\n';
    const auto with = [&](const std::string& lines) { return WitnessRequest{0, {}, text + lines}; };
    EXPECT_EQ(status(with(first + with_another_signature(second))), 403);
    EXPECT_EQ(status(with(with_another_signature(second) + first)), 403);
    EXPECT_EQ(status(with(second + with_another_signature(first))), 403);
    EXPECT_EQ(status(with(first + second + with_another_signature(second))), 403);
    EXPECT_EQ(status(with(with_another_signature(stranger))), 403) << "no known key signed";
    EXPECT_EQ(*Witness::logs(disk, kDirectory)->front().cosigned, 0U) << "nothing was stored";
    EXPECT_EQ(status(with(first + second + with_another_signature(stranger))), 200)
        << "keys that are not known are nobody's";
}

TEST_F(WitnessKeysTest, AnotherKeyOfAKnownOriginIsRefusedUnlessItIsAskedFor) {
    const auto refused = Witness::add_log(disk, kDirectory, vkey_of(2));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::kConflict);
    EXPECT_NE(refused.error().message.find(kTestOrigin), std::string::npos);
    EXPECT_EQ(status(WitnessRequest{0, {}, sign_note(log.text(5), kTestOrigin, test_key(2))}), 403);
    EXPECT_FALSE(Witness::add_log(disk, kDirectory, vkey_of(2), Witness::Keys::kAlso)->was_known);
    EXPECT_TRUE(Witness::add_log(disk, kDirectory, vkey_of(2))->was_known);
    EXPECT_TRUE(Witness::add_log(disk, kDirectory, TestLog::vkey())->was_known);
}

TEST_F(WitnessKeysTest, LogsAreListedWithWhatWasCosigned) {
    const std::string other = note_vkey("a.example/log", test_key(3).verify_key());
    ASSERT_TRUE(Witness::add_log(disk, kDirectory, other));
    ASSERT_TRUE(Witness::add_log(disk, kDirectory, vkey_of(2), Witness::Keys::kAlso));
    ASSERT_EQ(status(log.request(0, 9)), 200);
    const auto logs = *Witness::logs(disk, kDirectory);
    ASSERT_EQ(logs.size(), 2U);
    EXPECT_EQ(logs[0].origin, "a.example/log");
    EXPECT_EQ(logs[0].vkeys, std::vector<std::string>{other});
    EXPECT_EQ(*logs[0].cosigned, 0U);
    EXPECT_EQ(logs[1].origin, kTestOrigin);
    EXPECT_EQ(logs[1].vkeys, (std::vector<std::string>{TestLog::vkey(), vkey_of(2)}));
    EXPECT_EQ(*logs[1].cosigned, 9U);
}

TEST_F(WitnessKeysTest, ARemovedLogIsUnknownAndHasToFitWhenItComesBack) {
    ASSERT_EQ(status(log.request(0, 9)), 200);
    EXPECT_EQ(*Witness::remove_log(disk, kDirectory, kTestOrigin), kTestOrigin);
    EXPECT_EQ(status(log.request(9, 12)), 404);
    EXPECT_TRUE(Witness::logs(disk, kDirectory)->empty());
    EXPECT_EQ(Witness::remove_log(disk, kDirectory, kTestOrigin).error().code,
              ErrorCode::kNotFound);
    EXPECT_EQ(Witness::add_log(disk, kDirectory, vkey_of(2)).error().code, ErrorCode::kConflict)
        << "nobody else takes the origin";
    ASSERT_TRUE(Witness::add_log(disk, kDirectory, TestLog::vkey()));
    EXPECT_EQ(witness->add_checkpoint(log.request(0, 5).text()).body, "9\n");
    EXPECT_EQ(status(log.request(9, 12)), 200);
}

TEST_F(WitnessKeysTest, ARemovedLogComesBackWithANewKeyIfItIsAskedForAndHasToFit) {
    ASSERT_EQ(status(log.request(0, 9)), 200);
    ASSERT_TRUE(Witness::remove_log(disk, kDirectory, kTestOrigin));
    ASSERT_TRUE(Witness::add_log(disk, kDirectory, vkey_of(2), Witness::Keys::kAlso));
    EXPECT_EQ(*Witness::logs(disk, kDirectory)->front().cosigned, 9U);
    EXPECT_EQ(witness->add_checkpoint(request_by(2, 0, 5).text()).body, "9\n");
    EXPECT_EQ(status(log.request(9, 12)), 403);
    EXPECT_EQ(status(request_by(2, 9, 12)), 200);
}

TEST_F(WitnessKeysTest, ARemovedLogThatNeverWasCosignedComesBackWithAnyKey) {
    ASSERT_TRUE(Witness::remove_log(disk, kDirectory, kTestOrigin));
    ASSERT_TRUE(Witness::add_log(disk, kDirectory, vkey_of(2)));
    EXPECT_EQ(status(request_by(2, 0, 5)), 200);
}

TEST_F(WitnessKeysTest, OneKeyOfALogIsRemoved) {
    ASSERT_TRUE(Witness::add_log(disk, kDirectory, vkey_of(2), Witness::Keys::kAlso));
    ASSERT_EQ(status(log.request(0, 9)), 200);
    EXPECT_EQ(Witness::remove_log(disk, kDirectory, vkey_of(3)).error().code, ErrorCode::kNotFound);
    ASSERT_TRUE(Witness::remove_log(disk, kDirectory, vkey_of(2)));
    EXPECT_EQ(status(request_by(2, 9, 12)), 403);
    EXPECT_EQ(status(log.request(9, 12)), 200);
}

TEST_F(WitnessKeysTest, WhoeverSignedLastCannotKeepTheirKeyFromBeingRemoved) {
    ASSERT_TRUE(Witness::add_log(disk, kDirectory, vkey_of(2), Witness::Keys::kAlso));
    ASSERT_EQ(status(log.request(0, 9)), 200);
    ASSERT_EQ(status(request_by(2, 9, 9)), 200) << "the same once more, by the second key alone";
    ASSERT_TRUE(Witness::remove_log(disk, kDirectory, vkey_of(2)));
    EXPECT_EQ(*Witness::logs(disk, kDirectory)->front().cosigned, 9U);
    EXPECT_EQ(status(request_by(2, 9, 12)), 403);
    EXPECT_EQ(witness->add_checkpoint(log.request(0, 5).text()).body, "9\n");
    EXPECT_EQ(status(log.request(9, 12)), 200);
    open();
    EXPECT_EQ(status(log.request(12, 13)), 200);
}

/// Lets something happen at a moment of a request.
class InterferingDisk : public SimulatedDisk {
  public:
    std::function<void()> before_a_lock;
    std::function<void()> after_reading_keys;
    std::function<void()> after_reading_latest;

    Result<std::unique_ptr<FileLock>> lock_file(const Path& path) override {
        once(before_a_lock);
        return SimulatedDisk::lock_file(path);
    }
    Result<Bytes> read_file(const Path& path, std::size_t max_size) override {
        auto content = SimulatedDisk::read_file(path, max_size);
        if (path.extension() == ".keys") once(after_reading_keys);
        if (path.extension() == ".latest") once(after_reading_latest);
        return content;
    }

  private:
    static void once(std::function<void()>& action) {
        const auto taken = std::exchange(action, nullptr);
        if (taken) taken();
    }
};

TEST_F(WitnessKeysTest, KeyThatIsRemovedWhileARequestWaitsSignsNothing) {
    InterferingDisk busy;
    make(busy);
    ASSERT_TRUE(Witness::add_log(busy, kDirectory, vkey_of(2), Witness::Keys::kAlso));
    const auto opened = *Witness::open(busy, kDirectory, clock);
    bool removed = false;
    busy.before_a_lock = [&] {
        removed = Witness::remove_log(busy, kDirectory, vkey_of(2)).has_value();
    };
    const int answered = opened->add_checkpoint(request_by(2, 0, 9).text()).status;
    EXPECT_TRUE(removed) << "a request takes a lock before it is judged";
    EXPECT_EQ(answered, 403);
    EXPECT_EQ(opened->add_checkpoint(log.request(0, 5).text()).status, 200) << "nothing was stored";
}

TEST_F(WitnessKeysTest, KeysStayWhileARequestIsJudgedByThem) {
    for (const auto moment :
         {&InterferingDisk::after_reading_keys, &InterferingDisk::after_reading_latest}) {
        InterferingDisk busy;
        make(busy);
        ASSERT_TRUE(Witness::add_log(busy, kDirectory, vkey_of(2), Witness::Keys::kAlso));
        const auto opened = *Witness::open(busy, kDirectory, clock);
        std::optional<Result<std::string>> removed;
        busy.*moment = [&] { removed = Witness::remove_log(busy, kDirectory, vkey_of(2)); };
        EXPECT_EQ(opened->add_checkpoint(request_by(2, 0, 9).text()).status, 200);
        ASSERT_TRUE(removed);
        ASSERT_FALSE(*removed);
        EXPECT_EQ(removed->error().code, ErrorCode::kConflict);
        EXPECT_TRUE(Witness::remove_log(busy, kDirectory, vkey_of(2)));
        EXPECT_EQ(opened->add_checkpoint(request_by(2, 9, 12).text()).status, 403);
        EXPECT_EQ(opened->add_checkpoint(log.request(9, 12).text()).status, 200);
    }
}

TEST_F(WitnessKeysTest, NothingIsCosignedWhileKeysAreChanged) {
    InterferingDisk busy;
    make(busy);
    const auto opened = *Witness::open(busy, kDirectory, clock);
    int answered = 0;
    busy.after_reading_keys = [&] {
        answered = opened->add_checkpoint(log.request(0, 9).text()).status;
    };
    ASSERT_TRUE(Witness::remove_log(busy, kDirectory, kTestOrigin));
    EXPECT_EQ(answered, 503);
    EXPECT_EQ(opened->add_checkpoint(log.request(0, 9).text()).status, 404);
}

/// Somebody else has the lock of the keys the first times that it is asked for.
class LockedDisk : public SimulatedDisk {
  public:
    int locked = 0;
    Result<std::unique_ptr<FileLock>> lock_file(const Path& path) override {
        if (locked-- > 0) return fail(ErrorCode::kConflict, path.string());
        return SimulatedDisk::lock_file(path);
    }
};

TEST_F(WitnessKeysTest, ALockThatBecomesFreeIsWaitedFor) {
    LockedDisk busy;
    make(busy);
    const auto opened = *Witness::open(busy, kDirectory, clock);
    busy.locked = 3;
    EXPECT_EQ(opened->add_checkpoint(log.request(0, 9).text()).status, 200);
    busy.locked = 3;
    EXPECT_TRUE(Witness::remove_log(busy, kDirectory, kTestOrigin));
    busy.locked = 3;
    EXPECT_TRUE(Witness::add_log(busy, kDirectory, TestLog::vkey()));
    busy.locked = 999;
    EXPECT_EQ(opened->add_checkpoint(log.request(9, 12).text()).status, 200);
    busy.locked = 1'000;
    EXPECT_EQ(opened->add_checkpoint(log.request(12, 13).text()).status, 503);
}

TEST_F(WitnessKeysTest, ALogIsTrustedOrNotAlsoAfterAFailedRemoval) {
    using Fault = SimulatedDisk::Fault;
    for (const Fault fault : {Fault::kBefore, Fault::kHalf, Fault::kAfter})
        for (const int number : {1, 2}) {
            SimulatedDisk faulty;
            make(faulty);
            auto opened = *Witness::open(faulty, kDirectory, clock);
            ASSERT_EQ(opened->add_checkpoint(log.request(0, 5).text()).status, 200);
            faulty.arm(number, fault, false);
            EXPECT_FALSE(Witness::remove_log(faulty, kDirectory, kTestOrigin));
            opened.reset();
            faulty.cut_power(nullptr);
            ASSERT_TRUE(Witness::add_log(faulty, kDirectory, TestLog::vkey()));
            opened = *Witness::open(faulty, kDirectory, clock);
            EXPECT_EQ(opened->add_checkpoint(log.request(0, 3).text()).body, "5\n");
        }
}

TEST_F(WitnessKeysTest, ALogHasAtMostSixteenKeys) {
    for (std::uint8_t seed = 2; seed <= 16; ++seed)
        ASSERT_TRUE(Witness::add_log(disk, kDirectory, vkey_of(seed), Witness::Keys::kAlso));
    const auto beyond = Witness::add_log(disk, kDirectory, vkey_of(17), Witness::Keys::kAlso);
    ASSERT_FALSE(beyond);
    EXPECT_EQ(beyond.error().code, ErrorCode::kTooLarge);
    EXPECT_TRUE(Witness::add_log(disk, kDirectory, TestLog::vkey())) << "it is there already";
}

TEST_F(WitnessKeysTest, AddingALogAgainKeepsWhatWasCosigned) {
    ASSERT_EQ(status(log.request(0, 9)), 200);
    ASSERT_TRUE(Witness::add_log(disk, kDirectory, TestLog::vkey()));
    const auto answer = witness->add_checkpoint(log.request(0, 5).text());
    EXPECT_EQ(answer.status, 409);
    EXPECT_EQ(answer.body, "9\n");
}

TEST_F(WitnessKeysTest, NothingIsOverwrittenByASecondInit) {
    SeededRandom random(10);
    const auto before = *Witness::vkey(disk, kDirectory);
    const auto again = Witness::create(disk, kDirectory, "example.org/w2", random);
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().code, ErrorCode::kConflict);
    EXPECT_EQ(*Witness::vkey(disk, kDirectory), before);
}

TEST_F(WitnessKeysTest, InitThatWasCutShortIsFinishedByTheNext) {
    using Fault = SimulatedDisk::Fault;
    int finished = 0;
    for (const Fault fault : {Fault::kBefore, Fault::kHalf, Fault::kAfter})
        for (const bool power : {false, true})
            for (int number = 1; number <= 5; ++number) {
                SimulatedDisk faulty;
                SeededRandom random(9);
                faulty.arm(number, fault, true);
                EXPECT_FALSE(Witness::create(faulty, kDirectory, kName, random)) << number;
                faulty.disarm();
                if (power) faulty.cut_power(nullptr);
                const bool has_key = *faulty.exists(kDirectory / "witness.key");
                if (*faulty.exists(kDirectory / "witness.vkey")) {
                    EXPECT_TRUE(Witness::open(faulty, kDirectory, clock)) << "it was done";
                    continue;
                }
                EXPECT_EQ(Witness::add_log(faulty, kDirectory, TestLog::vkey()).error().code,
                          ErrorCode::kNotFound);
                const auto made = Witness::create(faulty, kDirectory, "example.org/w2", random);
                ASSERT_TRUE(made) << made.error().message;
                EXPECT_EQ(*made, has_key ? Witness::Made::kWithTheKeyThatWasThere
                                         : Witness::Made::kWithANewKey);
                finished += has_key ? 1 : 0;
                faulty.cut_power(nullptr);
                ASSERT_TRUE(Witness::add_log(faulty, kDirectory, TestLog::vkey()));
                const auto opened = Witness::open(faulty, kDirectory, clock);
                ASSERT_TRUE(opened) << opened.error().message;
                EXPECT_EQ((*opened)->name(), "example.org/w2");
                EXPECT_EQ((*opened)->add_checkpoint(log.request(0, 5).text()).status, 200);
            }
    EXPECT_GT(finished, 3);
}

TEST_F(WitnessKeysTest, LostVkeyLineIsMadeAnewUnderTheSameNameOnly) {
    const auto before = *Witness::vkey(disk, kDirectory);
    ASSERT_EQ(status(log.request(0, 9)), 200);
    witness.reset();
    ASSERT_TRUE(disk.remove(kDirectory / "witness.vkey"));
    SeededRandom random(10);
    const auto renamed = Witness::create(disk, kDirectory, "example.org/w2", random);
    ASSERT_FALSE(renamed) << "it could not read what it cosigned";
    EXPECT_EQ(renamed.error().code, ErrorCode::kConflict);
    EXPECT_FALSE(*disk.exists(kDirectory / "witness.vkey"));
    const auto made = Witness::create(disk, kDirectory, kName, random);
    ASSERT_TRUE(made) << made.error().message;
    EXPECT_EQ(*made, Witness::Made::kWithTheKeyThatWasThere);
    EXPECT_EQ(*Witness::vkey(disk, kDirectory), before);
    open();
    EXPECT_EQ(status(log.request(9, 12)), 200);
}

TEST_F(WitnessKeysTest, NewKeyIsNotPutBesideWhatAnotherHasCosigned) {
    ASSERT_EQ(status(log.request(0, 9)), 200);
    witness.reset();
    ASSERT_TRUE(disk.remove(kDirectory / "witness.key"));
    SeededRandom random(10);
    const auto made = Witness::create(disk, kDirectory, kName, random);
    ASSERT_FALSE(made);
    EXPECT_EQ(made.error().code, ErrorCode::kConflict);
    EXPECT_FALSE(*disk.exists(kDirectory / "witness.key"));
}

TEST_F(WitnessKeysTest, NamesThatNoKeyCanHaveAreRefused) {
    SeededRandom random(10);
    SimulatedDisk other;
    const std::string too_long(Witness::kMaxName + 1, 'w');
    for (const std::string& name : {std::string(), std::string("two words"), std::string("a+b"),
                                    std::string("line\nfeed"), too_long}) {
        const auto made = Witness::create(other, kDirectory, name, random);
        ASSERT_FALSE(made) << name;
        EXPECT_EQ(made.error().code, ErrorCode::kInvalidArgument);
    }
    EXPECT_FALSE(*other.exists(kDirectory));
    EXPECT_TRUE(Witness::create(other, kDirectory, too_long.substr(1), random));
}

TEST_F(WitnessKeysTest, KeyOfAnotherWitnessIsNoticedAtTheStart) {
    witness.reset();
    ASSERT_TRUE(disk.write_file_atomically(
        kDirectory / "witness.vkey", as_bytes(witness_vkey(kName, test_key(3).verify_key()) + "\n"),
        0644));
    const auto opened = Witness::open(disk, kDirectory, clock);
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, ErrorCode::kCorrupt);
}

}  // namespace
}  // namespace cloison::journal
