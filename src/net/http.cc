#include "net/http.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace cloison::net {
namespace {

bool equal_without_case(std::string_view a, std::string_view b) {
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [&](char x, char y) { return lower(x) == lower(y); });
}

HttpResponse with_type(int status, std::string_view type, std::string body) {
    HttpResponse response;
    response.status = status;
    response.headers.set("Content-Type", std::string(type));
    response.body = std::move(body);
    return response;
}

}  // namespace

void HttpHeaders::add(std::string name, std::string value) {
    all_.emplace_back(std::move(name), std::move(value));
}

void HttpHeaders::set(std::string name, std::string value) {
    std::erase_if(all_, [&](const auto& each) { return equal_without_case(each.first, name); });
    add(std::move(name), std::move(value));
}

std::optional<std::string_view> HttpHeaders::get(std::string_view name) const {
    for (const auto& [key, value] : all_) {
        if (equal_without_case(key, name)) return value;
    }
    return std::nullopt;
}

HttpResponse HttpResponse::text(int status, std::string body) {
    return with_type(status, "text/plain; charset=utf-8", std::move(body));
}

HttpResponse HttpResponse::html(int status, std::string body) {
    return with_type(status, "text/html; charset=utf-8", std::move(body));
}

HttpResponse HttpResponse::json(int status, std::string body) {
    return with_type(status, "application/json", std::move(body));
}

HttpResponse HttpResponse::redirect(std::string location) {
    HttpResponse response;
    response.status = 303;
    response.headers.set("Location", std::move(location));
    return response;
}

HttpResponse HttpResponse::problem(int status, std::string_view title, std::string_view detail) {
    const nlohmann::ordered_json document = {
        {"type", "about:blank"}, {"title", title}, {"status", status}, {"detail", detail}};
    return with_type(
        status, "application/problem+json",
        document.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
}

int http_status(ErrorCode code) {
    switch (code) {
        case ErrorCode::kInvalidArgument:
            return 400;
        case ErrorCode::kUnauthenticated:
            return 401;
        case ErrorCode::kPermissionDenied:
            return 403;
        case ErrorCode::kNotFound:
            return 404;
        case ErrorCode::kConflict:
            return 409;
        case ErrorCode::kTooLarge:
            return 413;
        case ErrorCode::kExhausted:
            return 429;
        case ErrorCode::kUnavailable:
            return 503;
        case ErrorCode::kDeadline:
            return 504;
        case ErrorCode::kCorrupt:
        case ErrorCode::kIo:
        case ErrorCode::kInternal:
            return 500;
    }
    return 500;
}

std::string_view http_reason(int status) {
    switch (status) {
        case 200:
            return "OK";
        case 201:
            return "Created";
        case 202:
            return "Accepted";
        case 204:
            return "No Content";
        case 206:
            return "Partial Content";
        case 301:
            return "Moved Permanently";
        case 302:
            return "Found";
        case 303:
            return "See Other";
        case 304:
            return "Not Modified";
        case 307:
            return "Temporary Redirect";
        case 308:
            return "Permanent Redirect";
        case 400:
            return "Bad Request";
        case 401:
            return "Unauthorized";
        case 403:
            return "Forbidden";
        case 404:
            return "Not Found";
        case 405:
            return "Method Not Allowed";
        case 406:
            return "Not Acceptable";
        case 408:
            return "Request Timeout";
        case 409:
            return "Conflict";
        case 410:
            return "Gone";
        case 411:
            return "Length Required";
        case 412:
            return "Precondition Failed";
        case 413:
            return "Content Too Large";
        case 414:
            return "URI Too Long";
        case 415:
            return "Unsupported Media Type";
        case 417:
            return "Expectation Failed";
        case 422:
            return "Unprocessable Content";
        case 428:
            return "Precondition Required";
        case 429:
            return "Too Many Requests";
        case 431:
            return "Request Header Fields Too Large";
        case 500:
            return "Internal Server Error";
        case 501:
            return "Not Implemented";
        case 502:
            return "Bad Gateway";
        case 503:
            return "Service Unavailable";
        case 504:
            return "Gateway Timeout";
        case 505:
            return "HTTP Version Not Supported";
        case 507:
            return "Insufficient Storage";
        default:
            return "Unknown";
    }
}

}  // namespace cloison::net
