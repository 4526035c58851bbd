#pragma once

#include <memory>

#include "keeper/alarms.h"
#include "keeper/allowance.h"
#include "keeper/blind_index.h"
#include "keeper/canaries.h"
#include "keeper/cosigner.h"
#include "keeper/disclosure.h"
#include "keeper/erasure.h"
#include "keeper/generations.h"
#include "keeper/hardening.h"
#include "keeper/history.h"
#include "keeper/investigation.h"
#include "keeper/journal_mark.h"
#include "keeper/keeper.h"
#include "keeper/own_lines.h"
#include "keeper/person_store.h"
#include "keeper/receipt.h"
#include "keeper/rotation.h"
#include "keeper/sealing.h"
#include "keeper/subject.h"

namespace cloison::keeper {

/// What a keeper is made of; later members use earlier ones.
struct Keeper::Parts {
    Parts(registry::Registry declared, const crypto::RootKey& root)
        : registry(std::move(declared)),
          keys(root),
          refusals(registry.thresholds().refusals_per_hour) {}

    const registry::Registry registry;
    const KeyRing keys;
    Budgets budgets;
    Refusals refusals;
    ErasedPersons erased;
    std::unique_ptr<journal::Journal> journal;
    std::unique_ptr<Epochs> epochs;
    std::unique_ptr<PersonStore> persons;
    std::unique_ptr<JournalMark> mark;
    std::unique_ptr<History> history;
    std::unique_ptr<ReceiptSigner> receipts;
    std::unique_ptr<Recorder> recorder;
    std::unique_ptr<Rotation> rotation;
    std::unique_ptr<Alarms> alarms;
    std::unique_ptr<Generations> generations;
    std::unique_ptr<Cosigner> cosigner;
    Revocations revocations;
    std::unique_ptr<Allowances> allowances;
    std::unique_ptr<Hardener> hardener;
    std::unique_ptr<GrantChecker> grants;
    std::unique_ptr<Sealer> sealer;
    std::unique_ptr<Canaries> canaries;
    std::unique_ptr<Subjects> subjects;
    std::unique_ptr<Discloser> discloser;
    std::unique_ptr<Investigation> investigation;
    std::unique_ptr<OwnLines> own_lines;
    std::unique_ptr<Eraser> eraser;
    std::unique_ptr<BlindIndex> blind_index;
    const Clock* clock = nullptr;
    Random* random = nullptr;

    /// The methods of the contract over these parts, which must outlive the service.
    std::shared_ptr<net::RpcService> make_service();

  private:
    void add_operation(net::RpcService& service);  ///< What runs the keeper, not the houses.
};

}  // namespace cloison::keeper
