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
        const Grant grant = bed_.officer_grant(officer_, bed_.enroll(1)[0], {"birth_name"});
        disclosures_.push_back(TestBed::disclosure(bed_.sign(grant), "birth_name",
                                                   bed_.seal(grant, "birth_name", "NAME0")));
        plant_canary("NAME1");
        bed_.keeper.reset();
    }

    /// The second disclosure is of a canary: its alarm is as durable as its line.
    void plant_canary(const std::string& name) {
        v1::PlantCanariesRequest request;
        request.set_copy("copy-1");
        request.set_compartment("casework");
        auto* item = request.add_persons()->add_items();
        item->set_field("birth_name");
        item->set_record(bed_.record(1));
        item->set_value(name);
        item->set_schema_version(1);
        auto planted = bed_.as("operator").plant_canaries(request);
        ASSERT_TRUE(planted) << planted.error().message;
        v1::ResolveRequest resolve;
        resolve.mutable_subject()->set_enrolment(planted->persons(0).enrolment());
        const auto resolved = bed_.as("casework").resolve(resolve);
        ASSERT_TRUE(resolved) << resolved.error().message;
        HandleContent content{registry::Compartment::kCasework, {}, {}};
        std::copy_n(resolved->pseudonym().begin(), 16, content.pseudonym.begin());
        Grant grant = bed_.base_grant(registry::Role::kOfficer, "desk", "process_request",
                                      "examine", {"birth_name"});
        grant.case_handle = make_handle(bed_.keeper->handle_key(), content);
        disclosures_.push_back(
            TestBed::disclosure(bed_.sign(grant), "birth_name", planted->persons(0).sealed(0)));
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

    Result<journal::FsckReport> fsck() const {
        return journal::fsck(
            local_file_system(), journal_directory(bed_.directory()),
            {.verify_key =
                 *journal_verify_key(local_file_system(), bed_.directory(), TestBed::kOrigin),
             .entry_key = *journal_entry_key(local_file_system(), bed_.directory())});
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

    auto report = fsck();
    ASSERT_TRUE(report) << report.error().message;
    bed_.start();
    const auto lines = bed_.lines(journal::EntryKind::kDisclosed);
    const bool durable = !step || *step >= DisclosureStep::kDurable;
    ASSERT_EQ(lines.size(), durable ? 2u : 1u);
    const auto alarms = bed_.lines(journal::EntryKind::kAlarm);
    ASSERT_EQ(alarms.size(), durable ? 1u : 0u);
    if (durable) {
        EXPECT_EQ(alarms[0].person, lines[1].person);
    }

    bed_.keeper.reset();
    report = fsck();
    ASSERT_TRUE(report) << report.error().message;
}

INSTANTIATE_TEST_SUITE_P(EveryStep, DisclosureCrashTest,
                         testing::Values(DisclosureStep::kVerified, DisclosureStep::kUnsealed,
                                         DisclosureStep::kCharged, DisclosureStep::kQueued,
                                         DisclosureStep::kDurable, DisclosureStep::kReleased,
                                         std::nullopt));

}  // namespace
}  // namespace cloison::keeper
