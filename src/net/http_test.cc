#include "net/http.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "net/http_wire.h"

namespace cloison::net {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

TEST(HttpHeadersTest, NamesCompareWithoutCase) {
    HttpHeaders headers;
    headers.add("Content-Type", "a");
    headers.add("X", "1");
    headers.add("x", "2");
    EXPECT_EQ(headers.get("content-TYPE"), "a");
    EXPECT_EQ(headers.get("X"), "1");
    EXPECT_EQ(headers.get("Y"), std::nullopt);
    headers.set("X", "3");
    EXPECT_THAT(headers.all(), ElementsAre(Pair("Content-Type", "a"), Pair("X", "3")));
}

TEST(HttpStatusTest, EveryErrorHasItsStatus) {
    const std::vector<std::pair<ErrorCode, int>> expected = {{ErrorCode::kInvalidArgument, 400},
                                                             {ErrorCode::kUnauthenticated, 401},
                                                             {ErrorCode::kPermissionDenied, 403},
                                                             {ErrorCode::kNotFound, 404},
                                                             {ErrorCode::kConflict, 409},
                                                             {ErrorCode::kTooLarge, 413},
                                                             {ErrorCode::kExhausted, 429},
                                                             {ErrorCode::kUnavailable, 503},
                                                             {ErrorCode::kDeadline, 504},
                                                             {ErrorCode::kCorrupt, 500},
                                                             {ErrorCode::kIo, 500},
                                                             {ErrorCode::kInternal, 500}};
    for (const auto& [code, status] : expected) {
        EXPECT_EQ(http_status(code), status);
        EXPECT_NE(http_reason(status), "Unknown");
    }
}

TEST(HttpResponseTest, ProblemIsEscapedJson) {
    const auto response = HttpResponse::problem(404, "Not \"found\"", "bad\xff");
    EXPECT_EQ(response.headers.get("Content-Type"), "application/problem+json");
    EXPECT_EQ(response.body,
              "{\"type\":\"about:blank\",\"title\":\"Not \\\"found\\\"\",\"status\":404,"
              "\"detail\":\"bad\xEF\xBF\xBD\"}");
}

TEST(HttpResponseTest, RedirectIsSeeOther) {
    const auto response = HttpResponse::redirect("/a");
    EXPECT_EQ(response.status, 303);
    EXPECT_EQ(response.headers.get("Location"), "/a");
}

TEST(CookieTest, IsFoundByItsExactName) {
    HttpRequest request;
    request.headers.add("cookie", "a=1;  __Host-session = abc=def ; empty=; b");
    request.headers.add("Cookie", "later=2");
    EXPECT_EQ(request.cookie("a"), "1");
    EXPECT_EQ(request.cookie("__Host-session"), "abc=def");
    EXPECT_EQ(request.cookie("empty"), "");
    EXPECT_EQ(request.cookie("later"), "2");
    EXPECT_EQ(request.cookie("session"), std::nullopt);
    EXPECT_EQ(request.cookie("A"), std::nullopt);
    EXPECT_EQ(request.cookie("b"), std::nullopt);
}

TEST(CookieTest, HeaderHasTheAttributesOfAHostCookie) {
    EXPECT_EQ(set_cookie_header({"__Host-s", "v", std::nullopt, true, false}),
              "__Host-s=v; Path=/; Secure; HttpOnly; SameSite=Lax");
    EXPECT_EQ(set_cookie_header({"__Host-s", "", 0, false, true}),
              "__Host-s=; Path=/; Secure; SameSite=Strict; Max-Age=0");
    EXPECT_EQ(set_cookie_header({"__Host-s", "a; Domain=x\r\n\"", 60, true, false}),
              "__Host-s=a%3B%20Domain=x%0D%0A%22; Path=/; Secure; HttpOnly; SameSite=Lax; "
              "Max-Age=60");
}

TEST(PercentTest, EncodesAllButUnreservedCharacters) {
    EXPECT_EQ(percent_encode("aZ09-._~"), "aZ09-._~");
    EXPECT_EQ(percent_encode("a b&=+/é%"), "a%20b%26%3D%2B%2F%C3%A9%25");
    for (int c = 0; c < 256; ++c) {
        const std::string text(1, static_cast<char>(c));
        EXPECT_EQ(*percent_decode(percent_encode(text)), text);
    }
}

TEST(PercentTest, BadEscapesAreRefused) {
    for (const char* bad : {"%", "a%", "%4", "%zz", "%4g", "%%41", "% 4"})
        EXPECT_EQ(percent_decode(bad).error().code, ErrorCode::kInvalidArgument) << bad;
    EXPECT_EQ(*percent_decode("%41%e9+"), "A\xe9+");
}

// The table of RFC 3629 §3 and §4: the first and last sequence of each length, and what lies
// outside.
TEST(Utf8Test, AcceptsExactlyWhatTheStandardAllows) {
    for (const std::string good :
         {"", "a", "\x7f", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80",
          "\xef\xbf\xbf", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf", "d\xc3\xa9j\xc3\xa0"})
        EXPECT_TRUE(is_valid_utf8(good)) << ::testing::PrintToString(good);
    for (const std::string bad :
         {"\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xc2", "\xc2\x41", "\xe0\x9f\xbf", "\xe0\xa0",
          "\xed\xa0\x80", "\xed\xbf\xbf", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80",
          "\xf5\x80\x80\x80", "\xf0\x90\x80", "\xfe", "\xff", "\xe2\x82\xc2\xac"})
        EXPECT_FALSE(is_valid_utf8(bad)) << ::testing::PrintToString(bad);
}

TEST(FormTest, ParsesFieldsInOrder) {
    const auto form = Form::parse("a=1&b=caf%C3%A9+cr%c3%a8me&a=2&c&=x&&d=e=f&");
    ASSERT_TRUE(form);
    EXPECT_THAT(form->fields(), ElementsAre(Pair("a", "1"), Pair("b", "café crème"), Pair("a", "2"),
                                            Pair("c", ""), Pair("", "x"), Pair("d", "e=f")));
    EXPECT_EQ(form->get("a"), "1");
    EXPECT_THAT(form->all("a"), ElementsAre("1", "2"));
    EXPECT_TRUE(form->has("c"));
    EXPECT_FALSE(form->has("z"));
    EXPECT_EQ(form->get("z"), "");
    EXPECT_TRUE(Form::parse("")->fields().empty());
}

TEST(FormTest, MalformedFieldsAreRefused) {
    for (const char* bad : {"a=%", "%zz=1", "a=%00", "a=%ff", "a=%ed%a0%80", "%00"})
        EXPECT_EQ(Form::parse(bad).error().code, ErrorCode::kInvalidArgument) << bad;
}

TEST(FormTest, NumberOfFieldsIsBounded) {
    std::string encoded;
    for (std::size_t i = 0; i < kMaxFormFields; ++i) encoded += "a=1&";
    EXPECT_EQ(Form::parse(encoded)->fields().size(), kMaxFormFields);
    EXPECT_EQ(Form::parse(encoded + "a=1").error().code, ErrorCode::kTooLarge);
}

TEST(HttpWireTest, DateIsTheExampleOfTheStandard) {
    EXPECT_EQ(http_date(*parse_rfc3339("1994-11-06T08:49:37Z")), "Sun, 06 Nov 1994 08:49:37 GMT");
    EXPECT_EQ(http_date(*parse_rfc3339("2024-02-29T23:59:59Z")), "Thu, 29 Feb 2024 23:59:59 GMT");
}

TEST(HttpWireTest, TargetIsTakenApart) {
    const auto target = parse_request_target("/caf%C3%A9/a+b//...?x=%ff&y=?");
    ASSERT_TRUE(target);
    EXPECT_EQ(target->path, "/café/a+b//...");
    EXPECT_EQ(target->query, "x=%ff&y=?");
    EXPECT_EQ(parse_request_target("/")->path, "/");
    EXPECT_FALSE(parse_request_target(""));
    EXPECT_FALSE(parse_request_target("a"));
    EXPECT_FALSE(parse_request_target("/a/.."));
}

TEST(HttpWireTest, FramingHeadersOfHandlersAreIgnored) {
    auto response = HttpResponse::text(200, "abc");
    response.headers.add("content-length", "999");
    response.headers.add("Transfer-Encoding", "chunked");
    response.headers.add("Set-Cookie", "a=b");
    response.headers.add("Set-Cookie", "c=d");
    const auto head = response_head(response, body_framing(response, false), true, Time());
    ASSERT_TRUE(head);
    EXPECT_EQ(*head,
              "HTTP/1.1 200 OK\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\n"
              "Content-Type: text/plain; charset=utf-8\r\nSet-Cookie: a=b\r\nSet-Cookie: c=d\r\n"
              "Content-Length: 3\r\nConnection: keep-alive\r\n\r\n");
}

}  // namespace
}  // namespace cloison::net
