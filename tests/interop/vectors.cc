// interop_vectors DIRECTORY: runs the Wycheproof vectors in DIRECTORY (JSON as the project
// publishes them) through src/crypto, and prints how many of each result ran. Ends with 1 at the
// first that comes out otherwise, or if a file has none.

#include <sodium.h>

#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>

#include "base/file_system.h"
#include "crypto/box.h"
#include "crypto/sign.h"

using namespace cloison;
using nlohmann::json;

namespace {

[[noreturn]] void stop(const std::string& why) {
    std::fprintf(stderr, "interop_vectors: %s\n", why.c_str());
    std::exit(1);
}

Bytes bytes_of(const json& value) {
    auto bytes = hex_decode(value.get<std::string>());
    if (!bytes) stop("hexadecimal that is none");
    return *bytes;
}

/// Gives out the bytes of a vector's nonce.
class GivenRandom : public Random {
  public:
    explicit GivenRandom(Bytes bytes) : bytes_(std::move(bytes)) {}
    void fill(std::span<std::uint8_t> out) override {
        if (out.size() != bytes_.size()) stop("another number of random bytes is drawn");
        std::copy(bytes_.begin(), bytes_.end(), out.begin());
    }

  private:
    Bytes bytes_;
};

/// Whether our Ed25519 takes the signature.
bool verifies(const json& group, const json& test) {
    const auto key = crypto::VerifyKey::from_bytes(bytes_of(group["key"]["pk"]));
    return key && key->verify(bytes_of(test["msg"]), bytes_of(test["sig"]));
}

/// Whether our XChaCha20-Poly1305 opens the box, to the right content, and makes the same one.
bool opens(const json&, const json& test) {
    const auto key = crypto::BoxKey::from_bytes(bytes_of(test["key"]));
    if (!key) return false;
    const Bytes nonce = bytes_of(test["iv"]);
    const Bytes associated = bytes_of(test["aad"]);
    const Bytes message = bytes_of(test["msg"]);
    Bytes box = nonce;
    for (const char* part : {"ct", "tag"}) {
        const Bytes bytes = bytes_of(test[part]);
        box.insert(box.end(), bytes.begin(), bytes.end());
    }
    const auto opened = crypto::box_decrypt(*key, box, associated);
    if (!opened || !std::ranges::equal(opened->view(), message)) return false;
    GivenRandom random(nonce);
    return crypto::box_encrypt(*key, message, associated, random) == box;
}

/// Whether the X25519 that our boxes to public keys stand on gives the shared secret; and our type
/// for such keys refuses those, and only those, of which nothing secret comes.
bool agrees(const json&, const json& test) {
    const Bytes secret = bytes_of(test["private"]);
    const Bytes theirs = bytes_of(test["public"]);
    const Bytes shared = bytes_of(test["shared"]);
    const bool zero = std::ranges::all_of(shared, [](std::uint8_t byte) { return byte == 0; });
    if (crypto::SealedBoxPublicKey::from_bytes(theirs).has_value() == zero) return false;
    Bytes ours(crypto_scalarmult_BYTES);
    const bool done = crypto_scalarmult(ours.data(), secret.data(), theirs.data()) == 0;
    return done != zero && (zero || ours == shared);
}

struct VectorFile {
    const char* name;
    std::function<bool(const json& group, const json& test)> holds;
    bool acceptable_holds;  ///< What "acceptable" vectors come out as here.
};

std::map<std::string, int> run(const Path& path, const VectorFile& file) {
    const auto content = local_file_system().read_file(path, 16 << 20);
    if (!content) stop(content.error().message);
    const json vectors = json::parse(as_text(*content), nullptr, false);
    if (vectors.is_discarded()) stop(path.string() + " is no JSON");
    std::map<std::string, int> counts;
    for (const auto& group : vectors["testGroups"])
        for (const auto& test : group["tests"]) {
            const auto result = test["result"].get<std::string>();
            const bool expected =
                result == "valid" || (result == "acceptable" && file.acceptable_holds);
            if (file.holds(group, test) != expected)
                stop(std::string(file.name) + ", vector " + test["tcId"].dump() + " (" +
                     test["comment"].get<std::string>() + "): expected to be " + result);
            ++counts[result];
            ++counts["all"];
        }
    if (counts["all"] == 0 || counts["all"] != vectors["numberOfTests"])
        stop(path.string() + " holds " + std::to_string(counts["all"]) + " vectors");
    return counts;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) {
        std::fputs("usage: interop_vectors DIRECTORY\n", stderr);
        return 2;
    }
    crypto::initialize();
    const VectorFile files[] = {{"eddsa_test", verifies, false},
                                {"xchacha20_poly1305_test", opens, false},
                                {"x25519_test", agrees, true}};
    json report;
    for (const VectorFile& file : files)
        report[file.name] = run(Path(argv[1]) / (std::string(file.name) + ".json"), file);
    std::printf("%s\n", report.dump().c_str());
    return 0;
}
