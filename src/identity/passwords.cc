#include "identity/passwords.h"

#include <algorithm>
#include <thread>

namespace cloison::identity {
namespace {

Bytes random_bytes(Random& random, std::size_t size) {
    Bytes bytes(size);
    random.fill(bytes);
    return bytes;
}

std::size_t thread_count(std::size_t asked) {
    return asked != 0 ? asked : std::max(1u, std::thread::hardware_concurrency());
}

}  // namespace

Status Gate::pass(const std::function<Status()>& work) {
    {
        std::unique_lock lock(mutex_);
        if (inside_ == capacity_) {
            if (waiting_ == queue_bound_)
                return fail(ErrorCode::kUnavailable,
                            "Too many passwords are being checked. Try again in a moment.");
            ++waiting_;
            turn_.wait(lock, [&] { return inside_ < capacity_; });
            --waiting_;
        }
        ++inside_;
    }
    auto outcome = work();
    {
        std::lock_guard lock(mutex_);
        --inside_;
    }
    turn_.notify_one();
    return outcome;
}

Passwords::Passwords(Options options, const keeper::KeeperClient& keeper, Random& random)
    : options_(std::move(options)),
      keeper_(keeper),
      random_(random),
      gate_(thread_count(options_.threads), options_.queue_bound),
      decoy_{random_bytes(random, 32), random_bytes(random, crypto::kPasswordSaltSize),
             options_.cost, RecordId::random(random)} {}

Result<Bytes> Passwords::harden(std::string_view password, const Verifier& verifier) {
    const Secret secret = Secret::from_text(password);
    Secret stretched;
    CLOISON_TRY_STATUS(gate_.pass([&]() -> Status {
        if (options_.on_stretch) options_.on_stretch();
        CLOISON_TRY(stretched, crypto::stretch_password(secret, verifier.salt, verifier.cost));
        return {};
    }));
    keeper::v1::HardenRequest request;
    request.set_stretched(to_string(stretched.view()));
    request.set_record(verifier.record.bytes());
    auto response = keeper_.harden(request);
    wipe(*request.mutable_stretched());
    if (!response) return fail(std::move(response).error());
    return to_bytes(response->hardened());
}

Result<Verifier> Passwords::make(std::string_view password, const RecordId& record) {
    Verifier verifier{{}, random_bytes(random_, crypto::kPasswordSaltSize), options_.cost, record};
    CLOISON_TRY(verifier.hardened, harden(password, verifier));
    return verifier;
}

Result<bool> Passwords::matches(std::string_view password, const Verifier& verifier) {
    CLOISON_TRY(const Bytes hardened, harden(password, verifier));
    return equal_constant_time(hardened, verifier.hardened);
}

}  // namespace cloison::identity
