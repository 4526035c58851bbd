#include "casework/status.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace cloison::casework {
namespace {

using Status = RequestStatus;

const std::vector<Status> kAll{Status::kDraft,          Status::kSubmitted, Status::kInReview,
                               Status::kActionRequired, Status::kApproved,  Status::kRefused,
                               Status::kInProduction,   Status::kReady,     Status::kDelivered,
                               Status::kWithdrawn};

TEST(RequestStatusTest, CodesAreDistinctAndReadBack) {
    std::set<std::string_view> codes;
    for (const Status status : kAll) {
        codes.insert(status_code(status));
        EXPECT_EQ(status_from_code(status_code(status)), status);
    }
    EXPECT_EQ(codes.size(), kAll.size());
    EXPECT_FALSE(status_from_code("awaiting_payment"));
    EXPECT_FALSE(status_from_code(""));
    EXPECT_FALSE(status_from_code("DRAFT"));
}

TEST(RequestStatusTest, EveryStatusHasWordsInBothLanguages) {
    for (const Status status : kAll) {
        EXPECT_FALSE(status_label(status).fr.empty());
        EXPECT_FALSE(status_label(status).en.empty());
    }
    EXPECT_EQ(status_label(Status::kActionRequired).fr, "À corriger");
}

TEST(RequestStatusTest, LifeCycleIsExactlyThis) {
    using Steps = std::vector<Status>;
    const auto expect = [](Status from, const Steps& resident, const Steps& officer,
                           const Steps& system) {
        EXPECT_EQ(next_statuses(from, Party::kResident), resident) << status_code(from);
        EXPECT_EQ(next_statuses(from, Party::kOfficer), officer) << status_code(from);
        EXPECT_EQ(next_statuses(from, Party::kSystem), system) << status_code(from);
    };
    expect(Status::kDraft, {Status::kSubmitted, Status::kWithdrawn}, {}, {});
    expect(Status::kSubmitted, {Status::kWithdrawn}, {Status::kInReview}, {});
    expect(Status::kInReview, {Status::kWithdrawn},
           {Status::kActionRequired, Status::kApproved, Status::kRefused}, {});
    expect(Status::kActionRequired, {Status::kInReview, Status::kWithdrawn}, {Status::kRefused},
           {});
    expect(Status::kApproved, {}, {Status::kInProduction}, {Status::kInProduction});
    expect(Status::kInProduction, {}, {Status::kReady}, {Status::kReady});
    expect(Status::kReady, {}, {Status::kDelivered}, {});
    expect(Status::kRefused, {}, {}, {});
    expect(Status::kDelivered, {}, {}, {});
    expect(Status::kWithdrawn, {}, {}, {});
}

TEST(RequestStatusTest, FinalAndEditableStatusesAreThese) {
    const std::set<Status> final{Status::kRefused, Status::kDelivered, Status::kWithdrawn};
    const std::set<Status> editable{Status::kDraft, Status::kActionRequired};
    for (const Status status : kAll) {
        EXPECT_EQ(is_final(status), final.contains(status)) << status_code(status);
        EXPECT_EQ(is_editable(status), editable.contains(status)) << status_code(status);
    }
}

}  // namespace
}  // namespace cloison::casework
