#pragma once

#include <memory>

#include "net/rpc.h"

#include "cloison/keeper/v1/keeper.pb.h"

namespace cloison::keeper {

/// What others may call of the keeper. Thin: one function per method of proto/cloison/keeper/v1.
/// Safe to use from any thread.
class KeeperClient {
  public:
    explicit KeeperClient(std::shared_ptr<net::RpcChannel> channel)
        : channel_(std::move(channel)) {}

#define CLOISON_KEEPER_METHOD(function, Method)                                       \
    Result<v1::Method##Response> function(const v1::Method##Request& request) const { \
        return channel_->call<v1::Method##Response>(#Method, request);                \
    }
    CLOISON_KEEPER_METHOD(enroll, Enroll)
    CLOISON_KEEPER_METHOD(resolve, Resolve)
    CLOISON_KEEPER_METHOD(seal, Seal)
    CLOISON_KEEPER_METHOD(open, Open)
    CLOISON_KEEPER_METHOD(blind_index, BlindIndex)
    CLOISON_KEEPER_METHOD(harden, Harden)
    CLOISON_KEEPER_METHOD(history, History)
    CLOISON_KEEPER_METHOD(prove, Prove)
    CLOISON_KEEPER_METHOD(read_entries, ReadEntries)
    CLOISON_KEEPER_METHOD(handles, Handles)
    CLOISON_KEEPER_METHOD(erase, Erase)
    CLOISON_KEEPER_METHOD(revoke, Revoke)
    CLOISON_KEEPER_METHOD(alarms, Alarms)
    CLOISON_KEEPER_METHOD(plant_canaries, PlantCanaries)
    CLOISON_KEEPER_METHOD(canaries, Canaries)
    CLOISON_KEEPER_METHOD(rotate, Rotate)
    CLOISON_KEEPER_METHOD(describe, Describe)
    CLOISON_KEEPER_METHOD(report_generation, ReportGeneration)
#undef CLOISON_KEEPER_METHOD

  private:
    std::shared_ptr<net::RpcChannel> channel_;
};

}  // namespace cloison::keeper
