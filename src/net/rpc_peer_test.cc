// What a peer that is not ours sees of a server: plain gRPC on the wire, health and reflection.

#include <gmock/gmock.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

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

class RpcPeerTest : public ::testing::Test {
  protected:
    void SetUp() override {
        crypto::initialize();
        auto service = std::make_shared<RpcService>(
            SayRequest::descriptor()->file()->FindServiceByName("Echo"));
        service->on<SayRequest, SayResponse>(
            "Say", {"portal"}, [](const Caller&, const SayRequest& request) -> Result<SayResponse> {
                SayResponse response;
                response.set_text(request.text());
                return response;
            });
        service->on<RefuseRequest, SayResponse>(
            "Refuse", {"portal"}, [](const Caller&, const RefuseRequest&) -> Result<SayResponse> {
                return fail(ErrorCode::kConflict, "It is taken.");
            });
        service->on<WaitRequest, SayResponse>(
            "Wait", {},
            [](const Caller&, const WaitRequest&) -> Result<SayResponse> { return SayResponse(); });
        auto key = crypto::SigningKey::from_seed(Bytes(32, 1));
        TrustStore trust;
        trust.add("portal", key.verify_key());
        token_ = CallerIdentity("portal", std::move(key), system_clock()).token("echo");
        const Path socket = directory_.path() / "echo.sock";
        auto server = RpcServer::start({socket, "echo", trust, 4}, system_clock(), service);
        ASSERT_TRUE(server) << server.error().message;
        server_ = std::move(*server);
        channel_ =
            grpc::CreateChannel("unix://" + socket.string(), grpc::InsecureChannelCredentials());
    }

    /// Sends one message of raw bytes and returns the first of the answer.
    grpc::Status call(const std::string& method, const std::string& request, std::string* response,
                      const std::string& token) {
        grpc::GenericStub stub(channel_);
        grpc::ClientContext context;
        context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(10));
        if (!token.empty()) context.AddMetadata("cloison-caller", token);
        grpc::CompletionQueue queue;
        auto stream = stub.PrepareCall(&context, method, &queue);
        grpc::Slice slice(request);
        grpc::ByteBuffer out(&slice, 1);
        grpc::ByteBuffer in;
        grpc::Status status;
        stream->StartCall(nullptr);
        wait(queue);
        stream->WriteLast(out, grpc::WriteOptions(), nullptr);
        wait(queue);
        stream->Read(&in, nullptr);
        wait(queue);
        stream->Finish(&status, nullptr);
        wait(queue);
        grpc::Slice answer;
        if (in.Valid() && in.DumpToSingleSlice(&answer).ok())
            response->assign(reinterpret_cast<const char*>(answer.begin()), answer.size());
        const auto& trailers = context.GetServerTrailingMetadata();
        if (const auto found = trailers.find("cloison-error"); found != trailers.end())
            error_.assign(found->second.data(), found->second.size());
        return status;
    }

    static void wait(grpc::CompletionQueue& queue) {
        void* tag = nullptr;
        bool ok = false;
        queue.Next(&tag, &ok);
    }

    TemporaryDirectory directory_;
    std::string token_;
    std::string error_;
    std::unique_ptr<RpcServer> server_;
    std::shared_ptr<grpc::Channel> channel_;
};

TEST_F(RpcPeerTest, ErrorsHaveTheirStatusCodeAndName) {
    std::string response;
    auto status = call("/cloison.testing.v1.Echo/Refuse", "", &response, token_);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
    EXPECT_EQ(status.error_message(), "It is taken.");
    EXPECT_EQ(error_, "conflict");
    status = call("/cloison.testing.v1.Echo/Say", "", &response, "");
    EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAUTHENTICATED);
    EXPECT_THAT(status.error_message(), ::testing::HasSubstr("missing"));
    status = call("/cloison.testing.v1.Echo/Say", "\xff\xff\xff", &response, token_);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
    status = call("/cloison.testing.v1.Echo/Wait", "", &response, token_);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::PERMISSION_DENIED);
    status = call("/cloison.testing.v1.Echo/Shout", "", &response, token_);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::UNIMPLEMENTED);
}

TEST_F(RpcPeerTest, RequestBeyondTheBoundDoesNotReachTheHandler) {
    std::string response;
    const std::string large(kMaxRpcMessage + 1, '\0');
    const auto status = call("/cloison.testing.v1.Echo/Say", large, &response, token_);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
}

TEST_F(RpcPeerTest, HealthSaysServing) {
    std::string response;
    const auto status = call("/grpc.health.v1.Health/Check", "", &response, "");
    EXPECT_TRUE(status.ok()) << status.error_message();
    EXPECT_EQ(response, std::string("\x08\x01", 2));  // status: SERVING
    // HealthCheckRequest{service: "cloison.testing.v1.Echo"}
    const auto named = call("/grpc.health.v1.Health/Check",
                            std::string("\x0a\x17") + "cloison.testing.v1.Echo", &response, "");
    EXPECT_TRUE(named.ok()) << named.error_message();
    EXPECT_EQ(response, std::string("\x08\x01", 2));
    // HealthCheckRequest{service: "no"}
    EXPECT_EQ(call("/grpc.health.v1.Health/Check", "\x0a\x02no", &response, "").error_code(),
              grpc::StatusCode::NOT_FOUND);
}

TEST_F(RpcPeerTest, ReflectionListsTheService) {
    std::string response;
    // ServerReflectionRequest{list_services: ""}
    const auto status = call("/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
                             std::string("\x3a\x00", 2), &response, "");
    EXPECT_TRUE(status.ok()) << status.error_message();
    EXPECT_THAT(response, ::testing::HasSubstr("cloison.testing.v1.Echo"));
    // ServerReflectionRequest{file_containing_symbol: …}
    const std::string symbol = "cloison.testing.v1.Echo";
    call("/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
         "\x22" + std::string(1, static_cast<char>(symbol.size())) + symbol, &response, "");
    EXPECT_THAT(response, ::testing::HasSubstr("RefuseRequest"));
}

}  // namespace
}  // namespace cloison::net
