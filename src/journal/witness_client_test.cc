#include "journal/witness_client.h"

#include <gtest/gtest.h>

#include <future>

#include "base/seeded_random.h"
#include "journal/simulated_disk_for_test.h"
#include "journal/witness.h"
#include "journal/witness_support_for_test.h"
#include "net/http_server.h"

namespace cloison::journal {
namespace {

using Outcome = WitnessAnswer::Outcome;

class WitnessClientTest : public ::testing::Test {
  protected:
    void SetUp() override {
        SeededRandom random(9);
        ASSERT_TRUE(Witness::create(disk, "/w", "example.org/w1", random));
        ASSERT_TRUE(Witness::add_log(disk, "/w", TestLog::vkey()));
        witness = *Witness::open(disk, "/w", clock);
        vkey = *Witness::vkey(disk, "/w");
    }
    WitnessAddress address() const {
        return *WitnessAddress::parse(vkey + " http://127.0.0.1:9000");
    }
    WitnessClient client() {
        return {address(), [this](const std::string& body) -> Result<net::HttpResponse> {
                    ++posts;
                    const auto answer = witness->add_checkpoint(body);
                    return net::HttpResponse::text(answer.status, answer.body);
                }};
    }
    WitnessClient answering(int status, const std::string& body) {
        return {address(), [this, status, body](const std::string&) -> Result<net::HttpResponse> {
                    ++posts;
                    return net::HttpResponse::text(status, body);
                }};
    }
    static WitnessAnswer ask(WitnessClient& client, const TestLog& log, std::uint64_t size) {
        return client.cosign(log.note(size), size,
                             [&log](std::uint64_t old_size,
                                    std::uint64_t new_size) -> Result<std::vector<crypto::Hash>> {
                                 return log.proof(old_size, new_size);
                             });
    }

    SimulatedDisk disk;
    ManualClock clock{from_unix_ms(1'776'000'000'000)};
    std::unique_ptr<Witness> witness;
    std::string vkey;
    int posts = 0;
    const TestLog log{40};
};

TEST_F(WitnessClientTest, CollectsCosignaturesAsTheLogGrows) {
    auto asking = client();
    for (const std::uint64_t size : {3, 9, 9, 40}) {
        const auto answer = ask(asking, log, size);
        ASSERT_EQ(answer.outcome, Outcome::kCosigned) << answer.problem;
        EXPECT_EQ(answer.at, clock.now());
        EXPECT_TRUE(cosigned_at(log.note(size) + answer.line, address().verifier));
    }
    EXPECT_EQ(posts, 4) << "it remembers what the witness has";
}

TEST_F(WitnessClientTest, LearnsTheSizeFromAConflict) {
    auto first = client();
    ASSERT_EQ(ask(first, log, 9).outcome, Outcome::kCosigned);
    auto second = client();
    posts = 0;
    EXPECT_EQ(ask(second, log, 20).outcome, Outcome::kCosigned);
    EXPECT_EQ(posts, 2);
    auto third = client();
    EXPECT_EQ(ask(third, log, 20).outcome, Outcome::kCosigned) << "the same size again";
}

TEST_F(WitnessClientTest, AWitnessThatHasMoreIsAhead) {
    auto first = client();
    ASSERT_EQ(ask(first, log, 20).outcome, Outcome::kCosigned);
    for (int again = 0; again < 2; ++again) {
        const auto answer = ask(first, log, 9);
        EXPECT_EQ(answer.outcome, Outcome::kAhead);
        EXPECT_EQ(answer.size, 20U);
        EXPECT_NE(answer.problem.find("20 lines"), std::string::npos) << answer.problem;
    }
    auto fresh = client();
    EXPECT_EQ(ask(fresh, log, 9).outcome, Outcome::kAhead);
}

TEST_F(WitnessClientTest, AForkIsADisagreement) {
    auto first = client();
    ASSERT_EQ(ask(first, log, 20).outcome, Outcome::kCosigned);
    const TestLog fork(40, 10, 1);
    EXPECT_EQ(ask(first, fork, 30).outcome, Outcome::kDisagrees);
    EXPECT_EQ(ask(first, fork, 20).outcome, Outcome::kDisagrees);
    auto fresh = client();
    EXPECT_EQ(ask(fresh, fork, 30).outcome, Outcome::kDisagrees);
    auto fresh_too = client();
    EXPECT_EQ(ask(fresh_too, fork, 20).outcome, Outcome::kDisagrees);
    EXPECT_EQ(ask(fresh, log, 30).outcome, Outcome::kCosigned);
}

TEST_F(WitnessClientTest, ConflictsAreAnsweredOnceOnly) {
    auto asking = answering(409, "7\n");
    EXPECT_EQ(ask(asking, log, 20).outcome, Outcome::kFailed);
    EXPECT_EQ(posts, 2);
}

TEST_F(WitnessClientTest, WhatIsNoCosignatureIsAFailure) {
    const std::string other = cosign(log.text(5), "example.org/w1", test_key(3), clock.now());
    const std::string of_another_text = cosign(
        log.text(6), "example.org/w1", crypto::SigningKey::from_seed(Bytes(32, 8)), clock.now());
    for (const std::string& body :
         std::vector<std::string>{"", "\n", "hello\n", other, of_another_text,
                                  log.note(5).substr(log.note(5).find("\u2014"))}) {
        auto asking = answering(200, body);
        EXPECT_EQ(ask(asking, log, 5).outcome, Outcome::kFailed) << body;
    }
    for (const int status : {201, 400, 403, 404, 413, 500, 503}) {
        auto asking = answering(status, "words\x1b[31m and more\nlines");
        const auto answer = ask(asking, log, 5);
        EXPECT_EQ(answer.outcome, Outcome::kFailed);
        EXPECT_EQ(answer.problem, "it answered " + std::to_string(status) + " words?[31m and more");
    }
    for (const char* body : {"", "7", "07\n", "-1\n", "7\n\n", "18446744073709551616\n"}) {
        auto asking = answering(409, body);
        EXPECT_EQ(ask(asking, log, 5).outcome, Outcome::kFailed) << body;
    }
}

TEST_F(WitnessClientTest, TheWordsOfAWitnessEndWithoutAFullStop) {
    auto asking = answering(404, "This witness does not know a log of that origin.\n");
    EXPECT_EQ(ask(asking, log, 5).problem,
              "it answered 404 This witness does not know a log of that origin");
}

TEST_F(WitnessClientTest, OnlyTheLineOfTheWitnessIsTaken) {
    auto first = client();
    const std::string line = ask(first, log, 5).line;
    const std::string other = cosign(log.text(5), "example.org/w2", test_key(3), clock.now());
    auto asking = answering(200, other + line + other);
    EXPECT_EQ(ask(asking, log, 5).line, line);
}

TEST_F(WitnessClientTest, AsksOverHttp) {
    auto server = net::HttpServer::start(
        {},
        [this](net::HttpRequest& request) {
            const auto answer = request.path == "/below/add-checkpoint"
                                    ? witness->add_checkpoint(request.body)
                                    : Witness::Answer{404, "", ""};
            return net::HttpResponse::text(answer.status, answer.body);
        },
        [](std::string_view, std::string_view) { return false; });
    ASSERT_TRUE(server);
    const std::string url = "http://127.0.0.1:" + std::to_string((*server)->port());
    WitnessClient asking(*WitnessAddress::parse(vkey + " " + url + "/below/"), Duration(10'000));
    EXPECT_EQ(ask(asking, log, 5).outcome, Outcome::kCosigned);
    EXPECT_EQ(ask(asking, log, 9).outcome, Outcome::kCosigned);
    WitnessClient elsewhere(*WitnessAddress::parse(vkey + " " + url), Duration(10'000));
    EXPECT_EQ(ask(elsewhere, log, 12).outcome, Outcome::kFailed);
}

TEST_F(WitnessClientTest, AWitnessThatDoesNotAnswerHoldsUpForTheTimeoutOnly) {
    std::promise<void> release;
    auto released = release.get_future().share();
    auto server = net::HttpServer::start(
        {},
        [released](net::HttpRequest&) {
            released.wait();
            return net::HttpResponse::text(200, "");
        },
        [](std::string_view, std::string_view) { return false; });
    ASSERT_TRUE(server);
    WitnessClient asking(
        *WitnessAddress::parse(vkey + " http://127.0.0.1:" + std::to_string((*server)->port())),
        Duration(100));
    const auto answer = ask(asking, log, 5);
    EXPECT_EQ(answer.outcome, Outcome::kFailed);
    EXPECT_NE(answer.problem.find("in time"), std::string::npos) << answer.problem;
    release.set_value();
    (*server)->stop(Duration(1'000));
}

TEST_F(WitnessClientTest, AddressesAreAKeyAndAUrl) {
    EXPECT_EQ(WitnessAddress::parse(vkey + " https://witness.example.org/w/")->url,
              "https://witness.example.org/w");
    for (const std::string& bad : std::vector<std::string>{
             "", vkey, vkey + " ", vkey + " 127.0.0.1:9000", vkey + " ftp://127.0.0.1",
             vkey + " http://", vkey + " http://a b", "http://127.0.0.1:9000 " + vkey,
             TestLog::vkey() + " http://127.0.0.1:9000"})
        EXPECT_FALSE(WitnessAddress::parse(bad)) << bad;
}

}  // namespace
}  // namespace cloison::journal
