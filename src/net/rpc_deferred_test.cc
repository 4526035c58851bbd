#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <deque>
#include <latch>
#include <mutex>
#include <stdexcept>
#include <thread>

#include "base/temporary_directory.h"
#include "crypto/keys.h"
#include "net/rpc.h"

#include "cloison/testing/v1/echo.pb.h"

namespace cloison::net {
namespace {

using testing::v1::RefuseRequest;
using testing::v1::SayRequest;
using testing::v1::SayResponse;
using testing::v1::WaitRequest;

constexpr Duration kGrace{5'000};

crypto::SigningKey key_of(std::uint8_t seed) {
    return crypto::SigningKey::from_seed(Bytes(32, seed));
}

/// Calls of Wait that nobody has answered yet.
class Unanswered {
  public:
    void add(Answer<SayResponse> answer) {
        const std::lock_guard lock(mutex_);
        if (closed_) return;
        answers_.push_back(std::move(answer));
        ++came_;
        changed_.notify_all();
    }
    /// Drops what there is, and what still comes.
    void close() {
        const std::lock_guard lock(mutex_);
        closed_ = true;
        answers_.clear();
    }
    Answer<SayResponse> take() {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return !answers_.empty(); });
        Answer<SayResponse> answer = std::move(answers_.front());
        answers_.pop_front();
        return answer;
    }
    bool has_some() const {
        const std::lock_guard lock(mutex_);
        return !answers_.empty();
    }
    int came() const {
        const std::lock_guard lock(mutex_);
        return came_;
    }
    void wait_for(int calls) {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return came_ >= calls; });
    }

  private:
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<Answer<SayResponse>> answers_;
    int came_ = 0;
    bool closed_ = false;
};

void say(Answer<SayResponse> answer, const std::string& text) {
    answer.response().set_text(text);
    answer.send();
}

/// Refuse: code 1000 throws, 1001 drops the call. Wait: answered by the test.
std::shared_ptr<RpcService> deferred_service(Unanswered* unanswered = nullptr) {
    auto service =
        std::make_shared<RpcService>(SayRequest::descriptor()->file()->FindServiceByName("Echo"));
    service->on_deferred<SayRequest, SayResponse>(
        "Say", {"portal"},
        [](const Caller& caller, const SayRequest& request, Answer<SayResponse> answer) {
            answer.response().set_caller(caller.service);
            for (std::uint32_t i = 0; i < request.times(); ++i)
                answer.response().mutable_text()->append(request.text());
            answer.send();
        });
    service->on_deferred<RefuseRequest, SayResponse>(
        "Refuse", {"portal"},
        [](const Caller&, const RefuseRequest& request, Answer<SayResponse> answer) {
            if (request.code() == 1000) throw std::runtime_error("personal detail");
            if (request.code() == 1001) return;
            answer.refuse({static_cast<ErrorCode>(request.code()), request.message()});
        });
    service->on_deferred<WaitRequest, SayResponse>(
        "Wait", {"portal"},
        [unanswered](const Caller&, const WaitRequest&, Answer<SayResponse> answer) {
            unanswered->add(std::move(answer));
        });
    return service;
}

class RpcDeferredTest : public ::testing::Test {
  protected:
    RpcDeferredTest() {
        crypto::initialize();
        trust_.add("portal", key_of(1).verify_key());
        trust_.add("desk", key_of(2).verify_key());
    }

    std::unique_ptr<RpcServer> start(int max_threads = 64) {
        return start(deferred_service(&unanswered_), max_threads);
    }
    std::unique_ptr<RpcServer> start(std::shared_ptr<const RpcService> service, int max_threads) {
        auto server =
            RpcServer::start({directory_.path() / "echo.sock", "echo", trust_, max_threads}, clock_,
                             std::move(service));
        EXPECT_TRUE(server) << server.error().message;
        return server ? std::move(*server) : nullptr;
    }

    std::unique_ptr<RpcChannel> channel(std::string service = "portal", std::uint8_t seed = 1) {
        return connect_rpc(
            directory_.path() / "echo.sock", "echo",
            std::make_shared<CallerIdentity>(std::move(service), key_of(seed), clock_));
    }
    /// Over the socket and within the process.
    std::vector<std::unique_ptr<RpcChannel>> both(std::string caller = "portal",
                                                  std::uint8_t seed = 1) {
        std::vector<std::unique_ptr<RpcChannel>> both;
        both.push_back(channel(caller, seed));
        both.push_back(local_rpc(deferred_service(&unanswered_), caller));
        return both;
    }

    /// Answers whoever comes until then: where the server is late to hear that nobody waits for a
    /// call any more, that call has its turn too.
    void say_all(const std::atomic<bool>& answered, const std::string& text) {
        while (!answered) {
            if (unanswered_.has_some())
                say(unanswered_.take(), text);
            else
                std::this_thread::yield();
        }
        unanswered_.close();
    }

    static Result<SayResponse> wait(RpcChannel& channel, Duration deadline = kDefaultRpcDeadline) {
        return channel.call<SayResponse>("Wait", WaitRequest(), deadline);
    }
    static Result<SayResponse> refuse(RpcChannel& channel, std::uint32_t code) {
        RefuseRequest request;
        request.set_code(code);
        request.set_message("Refusé: " + std::to_string(code) + "%.");
        return channel.call<SayResponse>("Refuse", request);
    }

    TemporaryDirectory directory_;
    ManualClock clock_{from_unix_ms(1'776'000'000'000)};
    TrustStore trust_;
    Unanswered unanswered_;
};

TEST_F(RpcDeferredTest, IsAnsweredByAnotherThread) {
    const auto server = start();
    for (const auto& way : both()) {
        std::thread answering([&] { say(unanswered_.take(), "later"); });
        const auto answer = wait(*way);
        answering.join();
        ASSERT_TRUE(answer) << answer.error().message;
        EXPECT_EQ(answer->text(), "later");
    }
}

TEST_F(RpcDeferredTest, IsAnsweredByItsHandler) {
    const auto server = start();
    for (const auto& way : both()) {
        SayRequest request;
        request.set_text("é");
        request.set_times(2);
        const auto answer = way->call<SayResponse>("Say", request);
        ASSERT_TRUE(answer) << answer.error().message;
        EXPECT_EQ(answer->text(), "éé");
        EXPECT_EQ(answer->caller(), "portal");
    }
}

TEST_F(RpcDeferredTest, TheRequestLivesUntilTheAnswer) {
    auto service = deferred_service();
    auto echo = std::make_shared<RpcService>(service->descriptor());
    const SayRequest* seen = nullptr;
    std::optional<Answer<SayResponse>> kept;
    std::latch came(1);
    echo->on_deferred<SayRequest, SayResponse>(
        "Say", {"portal"}, [&](const Caller&, const SayRequest& request, auto answer) {
            seen = &request;
            kept.emplace(std::move(answer));
            came.count_down();
        });
    echo->on<RefuseRequest, SayResponse>(
        "Refuse", {}, [](const auto&, const auto&) -> Result<SayResponse> { return {}; });
    echo->on<WaitRequest, SayResponse>(
        "Wait", {}, [](const auto&, const auto&) -> Result<SayResponse> { return {}; });
    const auto server = start(echo, 4);
    const std::string text(100'000, 'x');
    std::thread answering([&] {
        came.wait();
        kept->response().set_text(seen->text());
        kept->send();
    });
    SayRequest request;
    request.set_text(text);
    const auto answer = channel()->call<SayResponse>("Say", request);
    answering.join();
    ASSERT_TRUE(answer) << answer.error().message;
    EXPECT_EQ(answer->text(), text);
}

TEST_F(RpcDeferredTest, EveryErrorArrivesAsItWasSent) {
    const auto server = start();
    for (const auto& way : both()) {
        for (int code = 0; code <= static_cast<int>(ErrorCode::kInternal); ++code) {
            const auto answer = refuse(*way, static_cast<std::uint32_t>(code));
            ASSERT_FALSE(answer);
            EXPECT_EQ(static_cast<int>(answer.error().code), code);
            EXPECT_EQ(answer.error().message, "Refusé: " + std::to_string(code) + "%.");
        }
    }
}

TEST_F(RpcDeferredTest, ThrowingHandlerIsInternalAndItsTextStaysInside) {
    const auto server = start();
    for (const auto& way : both()) {
        const auto answer = refuse(*way, 1000);
        ASSERT_FALSE(answer);
        EXPECT_EQ(answer.error().code, ErrorCode::kInternal);
        EXPECT_THAT(answer.error().message, ::testing::Not(::testing::HasSubstr("personal")));
    }
}

TEST_F(RpcDeferredTest, DroppedWithoutAnAnswerIsInternal) {
    const auto server = start(1);
    for (const auto& way : both()) {
        for (int i = 0; i < 3; ++i)
            EXPECT_EQ(refuse(*way, 1001).error().code, ErrorCode::kInternal);
        std::thread dropping([&] { (void)unanswered_.take(); });
        const auto answer = wait(*way);
        dropping.join();
        ASSERT_FALSE(answer);
        EXPECT_EQ(answer.error().code, ErrorCode::kInternal);
    }
}

TEST_F(RpcDeferredTest, AllowListHoldsOnBothTransports) {
    const auto server = start(1);
    for (const auto& way : both("desk", 2)) {
        for (int i = 0; i < 3; ++i) {
            const auto answer = wait(*way);
            ASSERT_FALSE(answer);
            EXPECT_EQ(answer.error().code, ErrorCode::kPermissionDenied);
        }
    }
    EXPECT_EQ(unanswered_.came(), 0);
}

TEST_F(RpcDeferredTest, TokenThatDoesNotFitIsRefused) {
    const auto server = start(1);
    for (int i = 0; i < 3; ++i) {
        const auto answer = wait(*channel("portal", 9));
        ASSERT_FALSE(answer);
        EXPECT_EQ(answer.error().code, ErrorCode::kUnauthenticated);
    }
    EXPECT_EQ(unanswered_.came(), 0);
}

TEST_F(RpcDeferredTest, AnswerIsBounded) {
    const auto server = start();
    SayRequest request;
    request.set_text(std::string(1'000, 'x'));
    request.set_times(4 * 1'024);
    EXPECT_TRUE(channel()->call<SayResponse>("Say", request));
    request.set_times(4 * 1'024 + 1'024);
    const auto answer = channel()->call<SayResponse>("Say", request);
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code, ErrorCode::kTooLarge);
    EXPECT_THAT(answer.error().message, ::testing::HasSubstr("response"));
}

TEST_F(RpcDeferredTest, DeadlineMayPassBeforeTheAnswer) {
    const auto server = start(1);
    for (int i = 0; i < 5; ++i) {
        do {
            const auto late = wait(*channel(), Duration(50));  // And its connection goes with it.
            ASSERT_FALSE(late);
            EXPECT_TRUE(late.error().retryable());
        } while (!unanswered_.has_some());  // On a busy machine it may not even have come.
        say(unanswered_.take(), "too late");
    }
    std::atomic<bool> answered = false;
    std::thread patient([&] {
        EXPECT_TRUE(wait(*channel()));
        answered = true;
    });
    say_all(answered, "in time");
    patient.join();
}

TEST_F(RpcDeferredTest, BeyondTheBoundWaitsUntilItsDeadlineOrAnAnswer) {
    const auto server = start(1);
    const auto portal = channel();
    std::thread holder([&] { EXPECT_EQ(wait(*portal)->text(), "first"); });
    unanswered_.wait_for(1);
    const auto hasty = wait(*portal, Duration(100));
    ASSERT_FALSE(hasty);
    EXPECT_TRUE(hasty.error().retryable());
    EXPECT_EQ(unanswered_.came(), 1) << "a call counts until it is answered";
    std::atomic<bool> answered = false;
    std::thread patient([&] {
        const auto second = wait(*portal);
        EXPECT_TRUE(second && second->text() == "second");
        answered = true;
    });
    say(unanswered_.take(), "first");
    say_all(answered, "second");
    patient.join();
    holder.join();
}

TEST_F(RpcDeferredTest, MoreThanThreeTimesTheBoundIsUnavailableAtOnce) {
    const auto server = start(2);
    const auto portal = channel();
    std::atomic<int> answered = 0;
    std::atomic<int> refused = 0;
    std::vector<std::thread> callers;
    for (int i = 0; i < 8; ++i) {
        callers.emplace_back([&] {
            const auto answer = wait(*portal);
            if (answer) {
                ++answered;
            } else {
                EXPECT_EQ(answer.error().code, ErrorCode::kUnavailable);
                ++refused;
            }
        });
    }
    while (refused < 2) std::this_thread::yield();
    for (int i = 0; i < 6; ++i) say(unanswered_.take(), "x");
    for (auto& caller : callers) caller.join();
    EXPECT_EQ(answered, 6);
    EXPECT_EQ(refused, 2);
}

TEST_F(RpcDeferredTest, StopWaitsForTheAnswer) {
    const auto server = start();
    const auto portal = channel();
    std::thread caller([&] { EXPECT_TRUE(wait(*portal)); });
    unanswered_.wait_for(1);
    std::atomic<bool> stopped = false;
    std::thread stopper([&] {
        server->stop(kGrace);
        stopped = true;
    });
    while (channel()->call<SayResponse>("Say", SayRequest())) std::this_thread::yield();
    EXPECT_FALSE(stopped);
    say(unanswered_.take(), "after all");
    stopper.join();
    caller.join();
}

TEST_F(RpcDeferredTest, StopTellsCallersAfterItsGraceAndReturnsAfterTheAnswer) {
    const auto server = start(1);
    const auto portal = channel();
    std::vector<std::thread> callers;  // One in the room, one before it.
    for (int i = 0; i < 2; ++i)
        callers.emplace_back(
            [&] { EXPECT_EQ(wait(*portal).error().code, ErrorCode::kUnavailable); });
    unanswered_.wait_for(1);
    std::atomic<bool> stopped = false;
    std::thread stopper([&] {
        server->stop(Duration(20));
        stopped = true;
    });
    for (auto& caller : callers) caller.join();
    EXPECT_FALSE(stopped);
    say(unanswered_.take(), "to nobody");
    stopper.join();
    EXPECT_EQ(unanswered_.came(), 1);
}

TEST_F(RpcDeferredTest, ManyCallersAreAnsweredByFewThreads) {
    constexpr int kCallers = 32;
    constexpr int kCalls = 50;
    const auto server = start(8);
    const auto portal = channel();
    std::vector<std::thread> threads;
    for (int i = 0; i < kCallers; ++i)
        threads.emplace_back([&] {
            for (int call = 0; call < kCalls;) {
                const auto answer = wait(*portal);
                if (answer)
                    ++call;
                else
                    EXPECT_EQ(answer.error().code, ErrorCode::kUnavailable);
            }
        });
    for (int i = 0; i < 2; ++i)
        threads.emplace_back([&] {
            for (int call = 0; call < kCallers * kCalls / 2; ++call) say(unanswered_.take(), "x");
        });
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(unanswered_.came(), kCallers * kCalls);
}

TEST_F(RpcDeferredTest, StopWaitsForHandlersWhoseCallsAreAnswered) {
    for (int round = 0; round < 20; ++round) {
        Unanswered first;
        Unanswered second;
        std::atomic<bool> stopping = false;
        std::atomic<bool> returned = false;
        auto service = std::make_shared<RpcService>(deferred_service()->descriptor());
        service->on_deferred<SayRequest, SayResponse>(
            "Say", {"portal"}, [&](const Caller&, const SayRequest&, Answer<SayResponse> answer) {
                second.add(std::move(answer));
                // One that found room at once is answered when its handler returns.
                for (int i = 0; i < 1'000 && !stopping; ++i) std::this_thread::yield();
                for (int i = 0; i < 100; ++i) std::this_thread::yield();
                returned = true;
            });
        service->on_deferred<WaitRequest, SayResponse>(
            "Wait", {"portal"}, [&](const Caller&, const WaitRequest&, Answer<SayResponse> answer) {
                first.add(std::move(answer));
            });
        service->on_deferred<RefuseRequest, SayResponse>(
            "Refuse", {}, [](const Caller&, const RefuseRequest&, Answer<SayResponse>) {});
        const auto server = start(service, 1);
        const auto portal = channel();
        std::thread holding([&] { EXPECT_TRUE(wait(*portal)); });
        first.wait_for(1);
        // There is no room: in most rounds it waits for the first one's.
        std::thread behind([&] { EXPECT_TRUE(portal->call<SayResponse>("Say", SayRequest())); });
        for (int i = 0; i < 100; ++i) std::this_thread::yield();
        say(first.take(), "x");
        say(second.take(), "y");
        holding.join();
        behind.join();
        stopping = true;
        server->stop(std::chrono::seconds(10));
        EXPECT_TRUE(returned) << round;
    }
}

}  // namespace
}  // namespace cloison::net
