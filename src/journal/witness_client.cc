#include "journal/witness_client.h"

#include <algorithm>
#include <charconv>

#include "journal/note_lines.h"

namespace cloison::journal {
namespace {

constexpr std::size_t kMaxAnswerBytes = 64 * 1024;
constexpr std::size_t kMaxWords = 200;

/// A decimal and a newline, as 409 has it.
std::optional<std::uint64_t> parse_size(std::string_view body) {
    if (!body.ends_with('\n')) return std::nullopt;
    body.remove_suffix(1);
    std::uint64_t size = 0;
    const auto [end, error] = std::from_chars(body.data(), body.data() + body.size(), size);
    if (error != std::errc() || std::to_string(size) != body) return std::nullopt;
    return size;
}

WitnessClient::Post post_over_http(const std::string& url, Duration timeout, std::string ca_file) {
    // A client of its own for each witness keeps its connection.
    struct Connection {
        std::unique_ptr<net::HttpClient> client;
    };
    return
        [url, timeout, ca_file = std::move(ca_file), connection = std::make_shared<Connection>()](
            std::string body) -> Result<net::HttpResponse> {
            if (!connection->client) {
                CLOISON_TRY(connection->client,
                            net::HttpClient::create(url, {.timeout = timeout,
                                                          .max_response_bytes = kMaxAnswerBytes,
                                                          .ca_file = ca_file}));
            }
            return connection->client->send("POST", "/add-checkpoint", std::move(body),
                                            "text/plain; charset=utf-8");
        };
}

/// The sentence around it has a full stop of its own.
std::string without_full_stop(std::string words) {
    while (words.ends_with('.')) words.pop_back();
    return words;
}

/// What somebody else's witness says, fit for a log: one line of printable characters.
std::string in_words(std::string_view text) {
    std::string words(text.substr(0, text.find('\n')).substr(0, kMaxWords));
    std::replace_if(
        words.begin(), words.end(), [](unsigned char c) { return c < ' ' || c > '~'; }, '?');
    return without_full_stop(std::move(words));
}

/// Takes over a line of the witness's key that fits; whatever else it sent is left out.
void take_line_of_witness(std::string_view body, const std::string& note,
                          const WitnessVerifier& witness, WitnessAnswer& answer) {
    answer.problem = "its answer holds no signature of its key";
    std::string_view line;
    while (take_line(body, line)) {
        const auto parsed = parse_signature_line(line);
        if (!parsed || parsed->name != witness.name || parsed->key_id != witness.key_id) continue;
        std::string whole = std::string(line) + '\n';
        const auto at = cosigned_at(note + whole, witness);
        if (!at) {
            answer.problem = at.error().message;
            continue;
        }
        answer = {WitnessAnswer::Outcome::kCosigned, std::move(whole), *at, "", 0};
        return;
    }
}

}  // namespace

Result<WitnessAddress> WitnessAddress::parse(std::string_view text) {
    const std::size_t space = text.find(' ');
    if (space == std::string_view::npos)
        return fail(ErrorCode::kInvalidArgument,
                    "a witness is \"<vkey> <url>\", its verify key and its address");
    auto verifier = WitnessVerifier::parse(text.substr(0, space));
    if (!verifier) return fail(verifier.error());
    std::string url(text.substr(space + 1));
    while (url.ends_with('/')) url.pop_back();
    const std::size_t host = url.starts_with("http://")    ? 7
                             : url.starts_with("https://") ? 8
                                                           : std::string::npos;
    const bool plain =
        std::all_of(url.begin(), url.end(), [](unsigned char c) { return c > ' ' && c < 0x7f; });
    if (host == std::string::npos || url.size() <= host || !plain)
        return fail(ErrorCode::kInvalidArgument,
                    "the address of witness " + verifier->name +
                        " must begin with http:// or https:// and name a host");
    return WitnessAddress{std::move(*verifier), std::move(url)};
}

WitnessClient::WitnessClient(WitnessAddress address, Duration timeout, std::string ca_file)
    : address_(std::move(address)),
      post_(post_over_http(address_.url, timeout, std::move(ca_file))) {}

WitnessAnswer WitnessClient::cosign(const std::string& note, std::uint64_t size,
                                    const Prove& prove) {
    std::optional<std::uint64_t> told;
    known_size_ = std::min(known_size_, size);
    WitnessAnswer answer = ask(note, size, prove, told);
    // Once: a witness that is told the size that it named itself has another reason.
    if (told && *told <= size && *told != known_size_) {
        known_size_ = *told;
        answer = ask(note, size, prove, told);
    }
    if (answer.outcome == WitnessAnswer::Outcome::kCosigned) known_size_ = size;
    return answer;
}

WitnessAnswer WitnessClient::ask(const std::string& note, std::uint64_t size, const Prove& prove,
                                 std::optional<std::uint64_t>& told) {
    const auto failed = [](std::string problem) {
        WitnessAnswer answer;
        answer.problem = without_full_stop(std::move(problem));
        return answer;
    };
    auto proof = prove(known_size_, size);
    if (!proof) return failed(proof.error().message);
    const auto response = post_(WitnessRequest{known_size_, std::move(*proof), note}.text());
    if (!response) return failed(response.error().message);
    if (response->status == 409) told = parse_size(response->body);
    return take(*response, note, size);
}

WitnessAnswer WitnessClient::take(const net::HttpResponse& response, const std::string& note,
                                  std::uint64_t size) const {
    using Outcome = WitnessAnswer::Outcome;
    WitnessAnswer answer;
    const auto told = response.status == 409 ? parse_size(response.body) : std::nullopt;
    if (told && *told > size) {
        answer.outcome = Outcome::kAhead;
        answer.size = *told;
        answer.problem = "it has cosigned " + std::to_string(*told) +
                         " lines of this journal, which has " + std::to_string(size);
    } else if (told && *told == size && known_size_ == size) {
        answer.outcome = Outcome::kDisagrees;
        answer.problem = "it has cosigned other lines under the same number of them";
    } else if (response.status == 422) {
        answer.outcome = Outcome::kDisagrees;
        answer.problem = "this journal is no continuation of what it has cosigned";
    } else if (response.status != 200) {
        answer.problem =
            "it answered " + std::to_string(response.status) + " " + in_words(response.body);
    } else {
        take_line_of_witness(response.body, note, address_.verifier, answer);
    }
    return answer;
}

}  // namespace cloison::journal
