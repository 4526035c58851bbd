#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/id.h"
#include "crypto/box.h"
#include "crypto/sign.h"
#include "keeper/client/grant.h"
#include "keeper/client/keeper_client.h"

namespace cloison::faults {

/// Somebody invented, with one value in identity and one in casework.
struct Person {
    std::size_t number = 0;
    ActorId actor;
    SessionId session;
    RequestId email_record;
    RequestId name_record;
    RequestId case_reference;
    std::string identity_pseudonym;
    std::string casework_pseudonym;
    std::string sealed_email;
    std::string sealed_name;
    std::string email;
    std::string name;
};

/// What opens a person's value, and who asks.
struct Way {
    std::string purpose;  ///< self_service, support_call or process_request
    ActorId actor;
    SessionId session;
};

/// Calls on a running keeper as the services make them, with their keys from a var/ directory.
/// Errors are the keeper's own; nothing is tried again. Any thread may call.
class KeeperCalls {
  public:
    /// Exits with a message if a key is missing.
    explicit KeeperCalls(const Path& var);

    /// Reads the handle key and the verify key; call it once the keeper is up.
    Status describe();
    const std::string& verify_key() const { return verify_key_; }

    /// Enrols somebody and seals their values.
    Result<Person> make_person(std::size_t number);
    /// An error of the one disclosure is the call's error.
    Result<keeper::v1::Disclosed> open(const Person& person, const Way& way);
    /// The value that the way opens.
    static const std::string& value_of(const Person& person, const Way& way);

    Result<keeper::v1::HistoryResponse> history(const Person& person, std::uint32_t limit);
    Result<std::string> prove(const Person& person, std::uint64_t index);
    Result<keeper::v1::ReadEntriesResponse> read_entries(std::uint64_t first, std::uint32_t count);
    Result<std::string> blind_index(const std::string& value);
    Result<std::string> harden(const RequestId& record);
    Status erase(const Person& person, const ActorId& dpo);
    /// Begins a rotation of the epoch key.
    Result<keeper::v1::RotateResponse> rotate(keeper::v1::RotateRequest::Action action);

  private:
    keeper::Grant grant(const char* purpose, const char* door, registry::Role role) const;
    Bytes identity_handle(const Person& person) const;
    Bytes casework_handle(const Person& person) const;
    std::string own_grant(const Person& person) const;
    std::string grant_for(const Person& person, const Way& way) const;

    crypto::SigningKey grant_key_;
    crypto::SealedBoxPublicKey handle_key_;
    std::string verify_key_;
    keeper::KeeperClient portal_;
    keeper::KeeperClient identity_;
    keeper::KeeperClient casework_;
    keeper::KeeperClient desk_;
    keeper::KeeperClient operator_;
};

}  // namespace cloison::faults
