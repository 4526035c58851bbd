#include "crypto/pseudonym.h"

#include <openssl/evp.h>

#include <cstdlib>
#include <mutex>
#include <vector>

namespace cloison::crypto {
namespace {

using CipherContext = std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)>;

/// The cipher fails only where OpenSSL is broken or memory has run out.
void require(bool success) {
    if (!success) std::abort();
}

CipherContext new_context() {
    CipherContext context(EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free);
    require(context != nullptr);
    return context;
}

/// One direction of the permutation. A context serves one thread at a time; idle ones are kept, as
/// many as were ever in use at once.
class Direction {
  public:
    Direction(ByteView key, bool forward) : prototype_(new_context()) {
        require(EVP_CipherInit_ex2(prototype_.get(), EVP_aes_256_ecb(), key.data(), nullptr,
                                   forward ? 1 : 0, nullptr) == 1);
        require(EVP_CIPHER_CTX_set_padding(prototype_.get(), 0) == 1);
    }

    Block apply(const Block& block) {
        CipherContext context = take();
        Block out;
        int size = 0;
        require(EVP_CipherUpdate(context.get(), out.data(), &size, block.data(),
                                 static_cast<int>(block.size())) == 1);
        require(static_cast<std::size_t>(size) == block.size());
        const std::lock_guard lock(mutex_);
        idle_.push_back(std::move(context));
        return out;
    }

  private:
    CipherContext take() {
        const std::lock_guard lock(mutex_);
        if (idle_.empty()) {
            CipherContext context = new_context();
            require(EVP_CIPHER_CTX_copy(context.get(), prototype_.get()) == 1);
            return context;
        }
        CipherContext context = std::move(idle_.back());
        idle_.pop_back();
        return context;
    }

    const CipherContext prototype_;
    std::mutex mutex_;
    std::vector<CipherContext> idle_;
};

}  // namespace

struct BlockPermutation::Schedules {
    explicit Schedules(ByteView key) : forward(key, true), backward(key, false) {}
    Direction forward;
    Direction backward;
};

BlockPermutation::BlockPermutation(const PseudonymKey& key)
    : schedules_(std::make_unique<Schedules>(key.view())) {}

BlockPermutation::~BlockPermutation() = default;
BlockPermutation::BlockPermutation(BlockPermutation&&) noexcept = default;

Block BlockPermutation::forward(const Block& block) const {
    return schedules_->forward.apply(block);
}

Block BlockPermutation::backward(const Block& block) const {
    return schedules_->backward.apply(block);
}

}  // namespace cloison::crypto
