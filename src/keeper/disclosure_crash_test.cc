#include <sys/wait.h>
#include <unistd.h>

#include "keeper/support_for_test.h"

namespace cloison::keeper {
namespace {

/// Disclosures in a process of its own, which stops dead at a step. What it was given comes back
/// through a pipe: the plaintext that got out.
class DisclosureCrashTest : public testing::TestWithParam<std::optional<DisclosureStep>> {
  protected:
    void SetUp() override {
        bed_.start();
        ASSERT_NE(bed_.keeper, nullptr);
        const auto residents = bed_.enroll(2);
        for (std::size_t i = 0; i < residents.size(); ++i) {
            const Grant grant = bed_.officer_grant(officer_, residents[i], {"birth_name"});
            disclosures_.push_back(
                TestBed::disclosure(bed_.sign(grant), "birth_name",
                                    bed_.seal(grant, "birth_name", "NAME" + std::to_string(i))));
        }
        bed_.keeper.reset();
    }

    /// Opens both disclosures in a child that stops at `step` of the second; returns what it got.
    std::string run_child(std::optional<DisclosureStep> step) {
        int ends[2];
        EXPECT_EQ(pipe(ends), 0);
        const pid_t child = fork();
        if (child == 0) {
            close(ends[0]);
            child_main(step, ends[1]);
            _exit(0);
        }
        close(ends[1]);
        std::string released;
        char buffer[256];
        for (ssize_t got; (got = read(ends[0], buffer, sizeof buffer)) > 0;)
            released.append(buffer, static_cast<std::size_t>(got));
        close(ends[0]);
        int status = 0;
        EXPECT_EQ(waitpid(child, &status, 0), child);
        EXPECT_TRUE(WIFEXITED(status));
        EXPECT_EQ(WEXITSTATUS(status), step ? kStopped : 0);
        return released;
    }

    void child_main(std::optional<DisclosureStep> step, int out) {
        int calls = 0;
        bed_.options.on_step = [&](DisclosureStep reached) {
            calls += reached == DisclosureStep::kVerified;
            if (step && calls == 2 && reached == *step) _exit(kStopped);
        };
        bed_.start();
        for (const auto& disclosure : disclosures_) {
            auto value = bed_.open(disclosure);
            if (!value) _exit(2);
            if (write(out, value->data(), value->size()) < 0) _exit(3);
        }
    }

    static constexpr int kStopped = 77;
    TestBed bed_;
    ActorId officer_ = ActorId::random(bed_.random);
    std::vector<v1::Disclosure> disclosures_;
};

TEST_P(DisclosureCrashTest, NoPlaintextIsOutWithoutItsLine) {
    const auto step = GetParam();
    const std::string released = run_child(step);
    EXPECT_EQ(released, step ? "NAME0" : "NAME0NAME1");

    auto report = journal::fsck(
        local_file_system(), journal_directory(bed_.directory()),
        *journal_verify_key(local_file_system(), bed_.directory(), TestBed::kOrigin), {});
    ASSERT_TRUE(report) << report.error().message;
    bed_.start();
    const auto lines = bed_.lines(journal::EntryKind::kDisclosed);
    const bool durable = !step || *step >= DisclosureStep::kDurable;
    ASSERT_EQ(lines.size(), durable ? 2u : 1u);
    for (std::size_t i = 0; i < lines.size(); ++i) EXPECT_EQ(lines[i].person, i + 1);

    bed_.keeper.reset();
    report = journal::fsck(
        local_file_system(), journal_directory(bed_.directory()),
        *journal_verify_key(local_file_system(), bed_.directory(), TestBed::kOrigin), {});
    ASSERT_TRUE(report) << report.error().message;
}

INSTANTIATE_TEST_SUITE_P(EveryStep, DisclosureCrashTest,
                         testing::Values(DisclosureStep::kVerified, DisclosureStep::kUnsealed,
                                         DisclosureStep::kCharged, DisclosureStep::kQueued,
                                         DisclosureStep::kDurable, DisclosureStep::kReleased,
                                         std::nullopt));

}  // namespace
}  // namespace cloison::keeper
