#include "crypto/hash.h"

#include <openssl/evp.h>
#include <sodium.h>

#include <cstdlib>

namespace cloison::crypto {
namespace {

using DigestContext = std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)>;

/// Digests fail only where OpenSSL is broken or memory has run out.
void require(bool success) {
    if (!success) std::abort();
}

const EVP_MD* sha256_algorithm() {
    // Fetched once and kept: EVP_sha256() would make OpenSSL look it up at every start.
    static const EVP_MD* const algorithm = EVP_MD_fetch(nullptr, "SHA256", nullptr);
    require(algorithm != nullptr);
    return algorithm;
}

DigestContext new_context() {
    DigestContext context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
    require(context != nullptr);
    return context;
}

void start(EVP_MD_CTX* context) {
    require(EVP_DigestInit_ex2(context, sha256_algorithm(), nullptr) == 1);
}

Hash finish(EVP_MD_CTX* context) {
    Hash hash;
    require(EVP_DigestFinal_ex(context, hash.data(), nullptr) == 1);
    return hash;
}

}  // namespace

Hash sha256(std::initializer_list<ByteView> parts) {
    thread_local const DigestContext context = new_context();
    start(context.get());
    for (const ByteView part : parts)
        require(EVP_DigestUpdate(context.get(), part.data(), part.size()) == 1);
    return crypto::finish(context.get());
}

struct Sha256::State {
    DigestContext context = new_context();
};

Sha256::Sha256() : state_(std::make_unique<State>()) {
    start(state_->context.get());
}

Sha256::~Sha256() = default;

void Sha256::update(ByteView data) {
    require(EVP_DigestUpdate(state_->context.get(), data.data(), data.size()) == 1);
}

Hash Sha256::finish() {
    return crypto::finish(state_->context.get());
}

Bytes keyed_hash(ByteView key, ByteView data, std::size_t size) {
    initialize();
    require(key.size() >= crypto_generichash_KEYBYTES_MIN &&
            key.size() <= crypto_generichash_KEYBYTES_MAX);
    require(size >= crypto_generichash_BYTES_MIN && size <= crypto_generichash_BYTES_MAX);
    Bytes hash(size);
    require(crypto_generichash(hash.data(), size, data.data(), data.size(), key.data(),
                               key.size()) == 0);
    return hash;
}

}  // namespace cloison::crypto
