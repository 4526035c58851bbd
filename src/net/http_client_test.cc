#include "net/http_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "net/http_server.h"
#include "net/multipart.h"

namespace cloison::net {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

class HttpClientTest : public ::testing::Test {
  protected:
    void SetUp() override {
        auto server = HttpServer::start(
            {}, [](HttpRequest& request) { return answer(request); },
            [](std::string_view, std::string_view path) { return path == "/parts"; });
        ASSERT_TRUE(server) << server.error().message;
        server_ = std::move(*server);
        auto client =
            HttpClient::create("http://127.0.0.1:" + std::to_string(server_->port()) + "/");
        ASSERT_TRUE(client);
        client_ = std::move(*client);
    }

    static HttpResponse answer(HttpRequest& request) {
        if (request.path == "/set") {
            auto response = HttpResponse::redirect("/elsewhere");
            response.headers.add("Set-Cookie",
                                 set_cookie_header({"__Host-a", "1", {}, true, false}));
            response.headers.add("Set-Cookie", set_cookie_header({"b", "x=y", 60, true, false}));
            return response;
        }
        if (request.path == "/delete") {
            auto response = HttpResponse::text(200, "");
            response.headers.add("Set-Cookie", set_cookie_header({"__Host-a", "", 0, true, false}));
            response.headers.add("set-cookie", "c=3; max-age=-1");
            response.headers.add("Set-Cookie", "nonsense");
            return response;
        }
        if (request.stream != nullptr) return parts(request);
        std::string text = request.method + " " + request.path + "?" + request.query + "\n";
        for (const char* name : {"Cookie", "Content-Type", "X-Test"})
            text += std::string(name) + "=" + std::string(request.headers.get(name).value_or("")) +
                    "\n";
        return HttpResponse::text(200, text + request.body);
    }

    static HttpResponse parts(HttpRequest& request) {
        auto reader =
            MultipartReader::create(*request.headers.get("Content-Type"), *request.stream);
        if (!reader) return HttpResponse::problem(400, "Bad form", reader.error().message);
        std::string text;
        for (;;) {
            const auto part = (*reader)->next();
            if (!part) return HttpResponse::problem(400, "Bad form", part.error().message);
            if (!*part) return HttpResponse::text(200, text);
            std::size_t size = 0;
            Bytes piece(5000);
            for (auto count = (*reader)->read(piece); count && *count > 0;
                 count = (*reader)->read(piece))
                size += *count;
            text += (*part)->name + "|" + (*part)->file_name.value_or("-") + "|" +
                    (*part)->content_type + "|" + std::to_string(size) + "\n";
        }
    }

    std::unique_ptr<HttpServer> server_;
    std::unique_ptr<HttpClient> client_;
};

TEST_F(HttpClientTest, SendsMethodTargetHeadersAndBody) {
    client_->set_header("X-Test", "1");
    client_->set_header("x-test", "2");
    EXPECT_EQ(client_->get("/a%20b?c=d")->body, "GET /a b?c=d\nCookie=\nContent-Type=\nX-Test=2\n");
    EXPECT_EQ(client_->send("PUT", "/", "abc", "text/plain")->body,
              "PUT /?\nCookie=\nContent-Type=text/plain\nX-Test=2\nabc");
    EXPECT_EQ(client_->send("DELETE", "/x", "", "")->body,
              "DELETE /x?\nCookie=\nContent-Type=\nX-Test=2\n");
    Form form;
    form.add("a b", "c&d");
    form.add("é", "");
    EXPECT_EQ(client_->post_form("/form", form)->body,
              "POST /form?\nCookie=\nContent-Type=application/x-www-form-urlencoded\nX-Test=2\n"
              "a%20b=c%26d&%C3%A9=");
    const auto head = client_->send("HEAD", "/", "", "");
    ASSERT_TRUE(head) << head.error().message;
    EXPECT_EQ(head->body, "");
    EXPECT_NE(*head->headers.get("Content-Length"), "0");
}

TEST_F(HttpClientTest, DotSegmentsAndErrorsAreTheServersToJudge) {
    const auto response = client_->get("/a/../b");
    ASSERT_TRUE(response);
    EXPECT_EQ(response->status, 400);
    EXPECT_EQ(response->headers.get("content-type"), "application/problem+json");
}

TEST_F(HttpClientTest, KeepsSecureCookiesAndFollowsNoRedirect) {
    const auto redirect = client_->get("/set");
    ASSERT_TRUE(redirect);
    EXPECT_EQ(redirect->status, 303);
    EXPECT_EQ(redirect->headers.get("Location"), "/elsewhere");
    EXPECT_THAT(client_->cookies(), ElementsAre(Pair("__Host-a", "1"), Pair("b", "x=y")));
    EXPECT_THAT(client_->get("/")->body, HasSubstr("Cookie=__Host-a=1; b=x=y\n"));
    client_->cookies()["c"] = "3";
    ASSERT_TRUE(client_->get("/delete"));
    EXPECT_THAT(client_->cookies(), ElementsAre(Pair("b", "x=y")));
    client_->cookies().clear();
    EXPECT_THAT(client_->get("/")->body, HasSubstr("Cookie=\n"));
}

TEST_F(HttpClientTest, PartsArriveAtTheMultipartReader) {
    const std::string file(3'000'000, '\r');
    const auto response =
        client_->post_parts("/parts", {{"title", "", "", "hello"},
                                       {"file", "a \"b\".pdf", "application/pdf", file},
                                       {"empty", "e", "image/png", ""}});
    ASSERT_TRUE(response) << response.error().message;
    EXPECT_EQ(response->body,
              "title|-||5\nfile|a \"b\".pdf|application/pdf|3000000\nempty|e|image/png|0\n");
}

TEST_F(HttpClientTest, AbsentServerIsUnavailable) {
    server_->stop(Duration(1000));
    const auto response = client_->get("/");
    ASSERT_FALSE(response);
    EXPECT_EQ(response.error().code, ErrorCode::kUnavailable);
}

TEST_F(HttpClientTest, LongerAnswersThanAllowedAreTooLarge) {
    const std::string base = "http://127.0.0.1:" + std::to_string(server_->port());
    const std::size_t size = client_->get("/plain")->body.size();
    auto exact = *HttpClient::create(base, {.max_response_bytes = size});
    EXPECT_TRUE(exact->get("/plain"));
    auto shorter = *HttpClient::create(base, {.max_response_bytes = size - 1});
    EXPECT_EQ(shorter->get("/plain").error().code, ErrorCode::kTooLarge);
}

TEST(HttpClientAddressTest, MustBeOfAWebSite) {
    for (const char* bad : {"", "127.0.0.1:80", "ftp://127.0.0.1", "file:///etc/passwd"})
        EXPECT_FALSE(HttpClient::create(bad)) << bad;
    auto client = HttpClient::create("http://:::");
    if (client) {
        EXPECT_FALSE((*client)->get("/"));
    }
}

}  // namespace
}  // namespace cloison::net
