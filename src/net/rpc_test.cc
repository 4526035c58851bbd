#include "net/rpc.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <cstring>
#include <latch>
#include <mutex>
#include <stdexcept>
#include <thread>

#include "base/temporary_directory.h"
#include "crypto/keys.h"

#include "cloison/testing/v1/echo.pb.h"

namespace cloison::net {
namespace {

constexpr Duration kGrace{5'000};

crypto::SigningKey key_of(std::uint8_t seed) {
    return crypto::SigningKey::from_seed(Bytes(32, seed));
}

const google::protobuf::ServiceDescriptor* echo_descriptor() {
    return testing::v1::SayRequest::descriptor()->file()->FindServiceByName("Echo");
}

/// Holds the calls of Wait until as many as wanted have arrived.
class Gate {
  public:
    void arrive_and_wait() {
        std::unique_lock lock(mutex_);
        ++arrived_;
        changed_.notify_all();
        changed_.wait(lock, [&] { return open_; });
    }
    void wait_for(int count) {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return arrived_ >= count; });
    }
    void open() {
        const std::lock_guard lock(mutex_);
        open_ = true;
        changed_.notify_all();
    }

  private:
    std::mutex mutex_;
    std::condition_variable changed_;
    int arrived_ = 0;
    bool open_ = false;
};

std::shared_ptr<RpcService> echo_service(Gate* gate = nullptr) {
    using testing::v1::RefuseRequest;
    using testing::v1::SayRequest;
    using testing::v1::SayResponse;
    using testing::v1::WaitRequest;
    auto service = std::make_shared<RpcService>(echo_descriptor());
    service->on<SayRequest, SayResponse>(
        "Say", {"portal", "desk"},
        [](const Caller& caller, const SayRequest& request) -> Result<SayResponse> {
            SayResponse response;
            for (std::uint32_t i = 0; i < request.times(); ++i)
                response.mutable_text()->append(request.text());
            response.set_caller(caller.service);
            return response;
        });
    service->on<RefuseRequest, SayResponse>(
        "Refuse", {"portal"},
        [](const Caller&, const RefuseRequest& request) -> Result<SayResponse> {
            if (request.code() == 1000) throw std::runtime_error("personal detail");
            return fail(static_cast<ErrorCode>(request.code()), request.message());
        });
    service->on<WaitRequest, SayResponse>(
        "Wait", {"portal"}, [gate](const Caller&, const WaitRequest&) -> Result<SayResponse> {
            gate->arrive_and_wait();
            return SayResponse();
        });
    return service;
}

class RpcTest : public ::testing::Test {
  protected:
    RpcTest() {
        crypto::initialize();
        trust_.add("portal", key_of(1).verify_key());
        trust_.add("desk", key_of(2).verify_key());
        trust_.add("casework", key_of(3).verify_key());
    }

    Path socket() const { return directory_.path() / "echo.sock"; }

    Result<std::unique_ptr<RpcServer>> start(std::shared_ptr<const RpcService> service,
                                             int max_threads = 64) {
        return RpcServer::start({socket(), "echo", trust_, max_threads}, clock_,
                                std::move(service));
    }

    std::unique_ptr<RpcChannel> channel(std::string service = "portal", std::uint8_t seed = 1,
                                        std::string audience = "echo") {
        return connect_rpc(
            socket(), std::move(audience),
            std::make_shared<CallerIdentity>(std::move(service), key_of(seed), clock_));
    }

    static Result<testing::v1::SayResponse> say(RpcChannel& channel, std::string text,
                                                std::uint32_t times = 1,
                                                Duration deadline = kDefaultRpcDeadline) {
        testing::v1::SayRequest request;
        request.set_text(std::move(text));
        request.set_times(times);
        return channel.call<testing::v1::SayResponse>("Say", request, deadline);
    }

    TemporaryDirectory directory_;
    ManualClock clock_{from_unix_ms(1'776'000'000'000)};
    TrustStore trust_;
};

TEST_F(RpcTest, CallReachesTheHandlerAsTheSigningService) {
    const auto server = start(echo_service());
    ASSERT_TRUE(server) << server.error().message;
    const auto portal = channel();
    const auto answer = say(*portal, "héllo ", 3);
    ASSERT_TRUE(answer) << answer.error().message;
    EXPECT_EQ(answer->text(), "héllo héllo héllo ");
    EXPECT_EQ(answer->caller(), "portal");
    EXPECT_EQ(say(*channel("desk", 2), "x")->caller(), "desk");
}

TEST_F(RpcTest, MethodMayBeNamedInFull) {
    const auto server = start(echo_service());
    ASSERT_TRUE(server);
    testing::v1::SayRequest request;
    request.set_times(1);
    for (const char* name :
         {"Say", "cloison.testing.v1.Echo/Say", "/cloison.testing.v1.Echo/Say"}) {
        EXPECT_TRUE(channel()->call<testing::v1::SayResponse>(name, request)) << name;
        EXPECT_TRUE(
            local_rpc(echo_service(), "portal")->call<testing::v1::SayResponse>(name, request))
            << name;
    }
    for (const char* name : {"Shout", "Wait", "cloison.testing.v1.Echo/Shout", "other.Echo/Say"}) {
        const auto over_socket = channel()->call<testing::v1::SayResponse>(name, request);
        ASSERT_FALSE(over_socket) << name;
        EXPECT_EQ(over_socket.error().code, ErrorCode::kInternal) << name;
        const auto local =
            local_rpc(echo_service(), "portal")->call<testing::v1::SayResponse>(name, request);
        ASSERT_FALSE(local) << name;
        EXPECT_EQ(local.error().code, ErrorCode::kInternal) << name;
    }
}

TEST_F(RpcTest, EveryErrorArrivesAsItWasSent) {
    const auto server = start(echo_service());
    ASSERT_TRUE(server);
    const auto portal = channel();
    for (int code = 0; code <= static_cast<int>(ErrorCode::kInternal); ++code) {
        testing::v1::RefuseRequest request;
        request.set_code(static_cast<std::uint32_t>(code));
        request.set_message("Refusé: " + std::to_string(code) + "%.");
        const auto answer = portal->call<testing::v1::SayResponse>("Refuse", request);
        ASSERT_FALSE(answer);
        EXPECT_EQ(static_cast<int>(answer.error().code), code);
        EXPECT_EQ(answer.error().message, request.message());
    }
}

TEST_F(RpcTest, ThrowingHandlerIsInternalAndItsTextStaysInside) {
    const auto server = start(echo_service());
    ASSERT_TRUE(server);
    testing::v1::RefuseRequest request;
    request.set_code(1000);
    for (const auto& way : {channel(), local_rpc(echo_service(), "portal")}) {
        const auto answer = way->call<testing::v1::SayResponse>("Refuse", request);
        ASSERT_FALSE(answer);
        EXPECT_EQ(answer.error().code, ErrorCode::kInternal);
        EXPECT_THAT(answer.error().message, ::testing::Not(::testing::HasSubstr("personal")));
    }
}

TEST_F(RpcTest, AllowListHoldsOnBothTransports) {
    const auto server = start(echo_service());
    ASSERT_TRUE(server);
    for (const auto& way : {channel("casework", 3), local_rpc(echo_service(), "casework")}) {
        const auto answer = say(*way, "x");
        ASSERT_FALSE(answer);
        EXPECT_EQ(answer.error().code, ErrorCode::kPermissionDenied);
        EXPECT_THAT(answer.error().message, ::testing::HasSubstr("casework"));
    }
}

TEST_F(RpcTest, TokenThatDoesNotFitIsRefusedOnTheWire) {
    const auto server = start(echo_service());
    ASSERT_TRUE(server);
    const auto refused = [&](RpcChannel& way, const char* why) {
        const auto answer = say(way, "x");
        ASSERT_FALSE(answer) << why;
        EXPECT_EQ(answer.error().code, ErrorCode::kUnauthenticated);
        EXPECT_THAT(answer.error().message, ::testing::HasSubstr(why));
    };
    refused(*channel("portal", 1, "keeper"), "for another service");
    refused(*channel("portal", 9), "signature");
    refused(*channel("stranger", 9), "unknown service");
    ManualClock slow(clock_.now() - Duration(60 * 60'000));
    const auto late =
        connect_rpc(socket(), "echo", std::make_shared<CallerIdentity>("portal", key_of(1), slow));
    refused(*late, "expired");
}

TEST_F(RpcTest, RememberedTokenStillExpires) {
    const auto server = start(echo_service());
    ASSERT_TRUE(server);
    ManualClock stopped(clock_.now());
    const auto portal = connect_rpc(socket(), "echo",
                                    std::make_shared<CallerIdentity>("portal", key_of(1), stopped));
    ASSERT_TRUE(say(*portal, "x"));
    ASSERT_TRUE(say(*portal, "x"));
    clock_.advance(Duration(5 * 60'000));
    const auto answer = say(*portal, "x");
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code, ErrorCode::kUnauthenticated);
    stopped.set(clock_.now());
    EXPECT_TRUE(say(*portal, "x"));
}

TEST_F(RpcTest, SixtyFourCallsRunAtOnce) {
    Gate gate;
    const auto server = start(echo_service(&gate), 64);
    ASSERT_TRUE(server);
    const auto portal = channel();
    std::atomic<int> answered = 0;
    std::vector<std::thread> callers;
    for (int i = 0; i < 64; ++i) {
        callers.emplace_back([&] {
            const auto answer =
                portal->call<testing::v1::SayResponse>("Wait", testing::v1::WaitRequest());
            if (answer) ++answered;
        });
    }
    gate.wait_for(64);
    gate.open();
    for (auto& caller : callers) caller.join();
    EXPECT_EQ(answered, 64);
}

TEST_F(RpcTest, CallBeyondTheBoundWaitsUntilItsDeadlineOrAFreeThread) {
    Gate gate;
    const auto server = start(echo_service(&gate), 1);
    ASSERT_TRUE(server);
    const auto portal = channel();
    std::thread holder([&] {
        EXPECT_TRUE(portal->call<testing::v1::SayResponse>("Wait", testing::v1::WaitRequest()));
    });
    gate.wait_for(1);
    const auto hasty = say(*portal, "x", 1, Duration(100));
    ASSERT_FALSE(hasty);
    EXPECT_TRUE(hasty.error().retryable());
    std::thread patient([&] { EXPECT_TRUE(say(*portal, "x")); });
    gate.open();
    patient.join();
    holder.join();
}

TEST_F(RpcTest, MessageSizeIsBoundedBothWays) {
    const auto server = start(echo_service());
    ASSERT_TRUE(server);
    const auto portal = channel();
    // Tag and four bytes of length, then the characters; the count costs two bytes.
    const std::size_t fits = kMaxRpcMessage - 5 - 2;
    testing::v1::SayRequest request;
    request.set_times(1);
    request.set_text(std::string(fits, 'x'));
    ASSERT_EQ(request.ByteSizeLong(), kMaxRpcMessage);
    const auto accepted = portal->call<testing::v1::SayResponse>("Say", request);
    // The answer is larger than the request by the caller's name: over the bound.
    ASSERT_FALSE(accepted);
    EXPECT_EQ(accepted.error().code, ErrorCode::kTooLarge);
    EXPECT_THAT(accepted.error().message, ::testing::HasSubstr("response"));
    const std::size_t answer_fits = kMaxRpcMessage - 5 - 8;
    EXPECT_TRUE(say(*portal, std::string(answer_fits, 'x')));
    EXPECT_FALSE(say(*portal, std::string(answer_fits + 1, 'x')));

    request.mutable_text()->append("y");
    const auto refused = portal->call<testing::v1::SayResponse>("Say", request);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::kTooLarge);
    EXPECT_THAT(refused.error().message, ::testing::HasSubstr("request"));
}

TEST_F(RpcTest, AbsentServerIsUnavailableAndComesBackAtOnce) {
    const auto portal = channel();
    const auto none = say(*portal, "x");
    ASSERT_FALSE(none);
    EXPECT_EQ(none.error().code, ErrorCode::kUnavailable);
    for (int round = 0; round < 20; ++round) {
        auto server = start(echo_service());
        ASSERT_TRUE(server) << server.error().message;
        const auto answer = say(*portal, "x");
        ASSERT_TRUE(answer) << round << ": " << answer.error().message;
        (*server)->stop(kGrace);
        const auto gone = say(*portal, "x");
        ASSERT_FALSE(gone);
        EXPECT_EQ(gone.error().code, ErrorCode::kUnavailable);
    }
}

TEST_F(RpcTest, RestartsUnderLoadAreUnavailableAndNothingElse) {
    const auto portal = channel();
    std::atomic<bool> done = false;
    std::atomic<int> answered = 0;
    std::vector<std::thread> callers;
    for (int i = 0; i < 8; ++i) {
        callers.emplace_back([&] {
            while (!done) {
                const auto answer = say(*portal, "x", 1, Duration(2'000));
                if (answer) {
                    ++answered;
                } else {
                    EXPECT_EQ(answer.error().code, ErrorCode::kUnavailable);
                }
            }
        });
    }
    for (int round = 0; round < 10; ++round) {
        auto server = start(echo_service());
        ASSERT_TRUE(server) << server.error().message;
        const int before = answered;
        while (answered < before + 50) std::this_thread::yield();
        (*server)->stop(kGrace);
    }
    done = true;
    for (auto& caller : callers) caller.join();
}

TEST_F(RpcTest, StopLetsACallUnderWayFinish) {
    Gate gate;
    auto server = start(echo_service(&gate));
    ASSERT_TRUE(server);
    const auto portal = channel();
    std::thread caller([&] {
        EXPECT_TRUE(portal->call<testing::v1::SayResponse>("Wait", testing::v1::WaitRequest()));
    });
    gate.wait_for(1);
    std::thread stopper([&] { (*server)->stop(kGrace); });
    while (say(*portal, "x")) std::this_thread::yield();
    gate.open();
    stopper.join();
    caller.join();
}

TEST_F(RpcTest, DeadlineIsReportedAsSuch) {
    Gate gate;
    const auto server = start(echo_service(&gate));
    ASSERT_TRUE(server);
    const auto answer =
        channel()->call<testing::v1::SayResponse>("Wait", testing::v1::WaitRequest(), Duration(50));
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code, ErrorCode::kDeadline);
    gate.open();
}

TEST_F(RpcTest, ServerWithAMethodMissingDoesNotStart) {
    auto service = std::make_shared<RpcService>(echo_descriptor());
    EXPECT_THAT(service->missing(), ::testing::ElementsAre("Say", "Refuse", "Wait"));
    const auto server = start(service);
    ASSERT_FALSE(server);
    EXPECT_THAT(server.error().message, ::testing::HasSubstr("Say, Refuse, Wait"));
    EXPECT_FALSE(std::filesystem::exists(socket()));
}

TEST_F(RpcTest, SocketIsPrivateAndALiveOneIsNotTaken) {
    const auto first = start(echo_service());
    ASSERT_TRUE(first);
    struct stat status {};
    ASSERT_EQ(::stat(socket().c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0600U);
    const auto second = start(echo_service());
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, ErrorCode::kConflict);
    EXPECT_TRUE(say(*channel(), "still here"));
}

TEST_F(RpcTest, StaleSocketIsReplacedAndAPlainFileIsNot) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, socket().c_str(), sizeof address.sun_path - 1);
    const int descriptor = ::socket(AF_UNIX, SOCK_STREAM, 0);
    ASSERT_EQ(::bind(descriptor, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    ::close(descriptor);
    ASSERT_TRUE(std::filesystem::exists(socket()));
    {
        const auto dead = say(*channel(), "x");
        ASSERT_FALSE(dead);
        EXPECT_EQ(dead.error().code, ErrorCode::kUnavailable);
        const auto server = start(echo_service());
        ASSERT_TRUE(server) << server.error().message;
        EXPECT_TRUE(say(*channel(), "x"));
    }
    ASSERT_TRUE(local_file_system().write_file_atomically(socket(), as_bytes("text"), 0600));
    const auto refused = start(echo_service());
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::kConflict);
    EXPECT_EQ(std::filesystem::file_size(socket()), 4U);
}

TEST_F(RpcTest, SocketPathIsBounded) {
    const std::size_t room = 105 - directory_.path().string().size() - 1;
    RpcServer::Options options{directory_.path() / std::string(room, 's'), "echo", trust_, 4};
    EXPECT_TRUE(RpcServer::start(options, clock_, echo_service()));
    options.socket += "s";
    const auto refused = RpcServer::start(options, clock_, echo_service());
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::kInvalidArgument);
    options.socket = directory_.path() / "absent" / "echo.sock";
    EXPECT_FALSE(RpcServer::start(options, clock_, echo_service()));
}

TEST_F(RpcTest, SocketPathMayHoldSpacesAndSigns) {
    const Path path = directory_.path() / "a b%20é.sock";
    const auto server = RpcServer::start({path, "echo", trust_, 4}, clock_, echo_service());
    ASSERT_TRUE(server) << server.error().message;
    EXPECT_TRUE(std::filesystem::exists(path));
    const auto portal =
        connect_rpc(path, "echo", std::make_shared<CallerIdentity>("portal", key_of(1), clock_));
    EXPECT_TRUE(say(*portal, "x"));
}

TEST(RpcServiceDeathTest, HandlerThatDoesNotFitTheContractAborts) {
    using testing::v1::SayRequest;
    using testing::v1::SayResponse;
    using testing::v1::WaitRequest;
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    RpcService service(echo_descriptor());
    const auto say = [](const Caller&, const SayRequest&) -> Result<SayResponse> {
        return SayResponse();
    };
    EXPECT_DEATH((service.on<SayRequest, SayResponse>("Shout", {}, say)), "no method Shout");
    EXPECT_DEATH((service.on<SayRequest, SayResponse>("Wait", {}, say)), "other message types");
    service.on<SayRequest, SayResponse>("Say", {}, say);
    EXPECT_DEATH((service.on<SayRequest, SayResponse>("Say", {}, say)), "two handlers");
}

}  // namespace
}  // namespace cloison::net
