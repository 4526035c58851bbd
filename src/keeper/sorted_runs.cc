#include "keeper/sorted_runs.h"

#include <algorithm>

#include "crypto/box.h"
#include "crypto/pae.h"

namespace cloison::keeper {
namespace {

using storage::Transaction;

constexpr std::size_t kListSize = 4;
constexpr std::size_t kItemSize = kListSize + 8;
/// Beyond it the fences are read anew: a few megabytes.
constexpr std::size_t kMaxFences = 1'000;

std::int64_t column(std::uint64_t number) {
    return static_cast<std::int64_t>(number);
}

Error does_not_fit() {
    return {
        ErrorCode::kCorrupt,
        "The index of the journal, history.sqlite, does not fit together. It is built anew when "
        "the keeper starts."};
}

}  // namespace

Bytes SortedRuns::associated(std::string_view what, const Run& run, std::uint64_t block) {
    Bytes numbers;
    for (const auto number : {run.first, run.beyond, run.items, block}) put_u64(numbers, number);
    return crypto::pre_auth_encode({as_bytes(what), numbers});
}

Result<std::vector<SortedRuns::Run>> SortedRuns::newest_first(Transaction& transaction) const {
    CLOISON_TRY(
        const auto rows,
        transaction.query("SELECT first, beyond, block, items FROM run ORDER BY first DESC", {}));
    std::vector<Run> runs;
    for (const auto& row : rows) {
        const auto number = [&](std::size_t at) {
            return static_cast<std::uint64_t>(row.integer(at));
        };
        const Run run{number(0), number(1), number(2), number(3)};
        if (run.first >= run.beyond || (!runs.empty() && runs.back().first != run.beyond))
            return fail(does_not_fit());
        runs.push_back(run);
    }
    if (!runs.empty() && runs.back().first != 0) return fail(does_not_fit());
    return runs;
}

Result<std::uint64_t> SortedRuns::end(Transaction& transaction) const {
    CLOISON_TRY(const auto runs, newest_first(transaction));
    return runs.empty() ? 0 : runs.front().beyond;
}

Status SortedRuns::add(Transaction& transaction, std::uint64_t first, std::uint64_t beyond,
                       std::vector<Item> items) const {
    CLOISON_TRY(const auto newest,
                transaction.query("SELECT beyond FROM run ORDER BY first DESC LIMIT 1", {}));
    if (first != (newest.empty() ? 0 : static_cast<std::uint64_t>(newest[0].integer(0))))
        return fail(does_not_fit());
    std::stable_sort(items.begin(), items.end(),
                     [](const Item& a, const Item& b) { return a.list < b.list; });
    return write(transaction, {first, beyond, 0, items.size()}, items);
}

Status SortedRuns::write(Transaction& transaction, Run run, const std::vector<Item>& items) const {
    CLOISON_TRY(const auto next,
                transaction.query_one("SELECT COALESCE(MAX(number), 0) + 1 FROM block", {}));
    run.block = static_cast<std::uint64_t>(next.integer(0));
    Bytes fences;
    for (std::size_t at = 0; at < items.size(); at += kBlockItems) {
        const auto number = run.block + at / kBlockItems;
        put_u32(fences, items[at].list);
        Bytes content;
        content.reserve(kBlockItems * kItemSize);
        for (std::size_t i = at; i < std::min(at + kBlockItems, items.size()); ++i) {
            put_u32(content, items[i].list);
            put_u64(content, items[i].value);
        }
        content.resize(kBlockItems * kItemSize);
        CLOISON_TRY_STATUS(transaction.execute(
            "INSERT INTO block (number, content) VALUES ($1, $2)",
            {column(number),
             crypto::box_encrypt(key_, content, associated("history-block/v1", run, number),
                                 random_)}));
    }
    CLOISON_TRY_STATUS(transaction.execute(
        "INSERT INTO run (first, beyond, block, items, fences) VALUES ($1, $2, $3, $4, $5)",
        {column(run.first), column(run.beyond), column(run.block), column(run.items),
         crypto::box_encrypt(key_, fences, associated("history-run/v1", run, run.block),
                             random_)}));
    return {};
}

Result<bool> SortedRuns::merge(Transaction& transaction) const {
    CLOISON_TRY(auto all, newest_first(transaction));
    std::reverse(all.begin(), all.end());
    // The oldest kFanIn of one size, side by side.
    std::vector<Run> runs;
    for (const Run& run : all) {
        if (!runs.empty() && run.entries() != runs.back().entries()) runs.clear();
        if (run.entries() < kLargestRun) runs.push_back(run);
        if (runs.size() == kFanIn) break;
    }
    if (runs.size() < kFanIn) return false;
    std::vector<Item> items;
    for (const Run& run : runs) CLOISON_TRY_STATUS(read(transaction, run, items));
    // The runs are of one time after another: within a list their order is that of its items.
    std::stable_sort(items.begin(), items.end(),
                     [](const Item& a, const Item& b) { return a.list < b.list; });
    for (const Run& run : runs) {
        CLOISON_TRY_STATUS(
            transaction.execute("DELETE FROM run WHERE first = $1", {column(run.first)}));
        CLOISON_TRY_STATUS(
            transaction.execute("DELETE FROM block WHERE number >= $1 AND number < $2",
                                {column(run.block), column(run.block + run.blocks())}));
    }
    CLOISON_TRY_STATUS(
        write(transaction, {runs.front().first, runs.back().beyond, 0, items.size()}, items));
    return true;
}

Status SortedRuns::read(Transaction& transaction, const Run& run, std::vector<Item>& items) const {
    CLOISON_TRY(const auto rows,
                transaction.query("SELECT number, content FROM block WHERE number >= $1 AND "
                                  "number < $2 ORDER BY number",
                                  {column(run.block), column(run.block + run.blocks())}));
    if (rows.size() != run.blocks()) return fail(does_not_fit());
    // Of a run without items there is no block to say so.
    if (const auto whole = open_fences(transaction, run); !whole) return fail(whole.error());
    for (const auto& row : rows) {
        CLOISON_TRY(
            const auto some,
            open_block(run, static_cast<std::uint64_t>(row.integer(0)) - run.block, row.bytes(1)));
        items.insert(items.end(), some.begin(), some.end());
    }
    return {};
}

Result<std::vector<SortedRuns::Item>> SortedRuns::open_block(const Run& run, std::uint64_t number,
                                                             ByteView content) const {
    CLOISON_TRY(const auto opened,
                crypto::box_decrypt(key_, content,
                                    associated("history-block/v1", run, run.block + number)));
    ByteView rest = opened.view();
    if (rest.size() != kBlockItems * kItemSize) return fail(does_not_fit());
    std::vector<Item> items(std::min<std::uint64_t>(kBlockItems, run.items - number * kBlockItems));
    for (Item& item : items) {
        item = {get_u32(rest), get_u64(rest.subspan(kListSize))};
        rest = rest.subspan(kItemSize);
    }
    return items;
}

Result<std::vector<SortedRuns::Item>> SortedRuns::block(Transaction& transaction, const Run& run,
                                                        std::uint64_t number) const {
    CLOISON_TRY(const auto rows, transaction.query("SELECT content FROM block WHERE number = $1",
                                                   {column(run.block + number)}));
    if (rows.empty()) return fail(does_not_fit());
    return open_block(run, number, rows[0].bytes(0));
}

Result<std::shared_ptr<const SortedRuns::Fences>> SortedRuns::fences(Transaction& transaction,
                                                                     const Run& run) const {
    const std::pair key{run.first, run.beyond};
    {
        const std::lock_guard lock(mutex_);
        if (const auto known = fences_.find(key); known != fences_.end()) return known->second;
    }
    CLOISON_TRY(auto opened, open_fences(transaction, run));
    std::shared_ptr<const Fences> read = std::make_shared<Fences>(std::move(opened));
    const std::lock_guard lock(mutex_);
    if (fences_.size() >= kMaxFences) fences_.clear();
    fences_[key] = read;
    return read;
}

Result<SortedRuns::Fences> SortedRuns::open_fences(Transaction& transaction, const Run& run) const {
    CLOISON_TRY(const auto row, transaction.query_one("SELECT fences FROM run WHERE first = $1",
                                                      {column(run.first)}));
    CLOISON_TRY(
        const auto opened,
        crypto::box_decrypt(key_, row.bytes(0), associated("history-run/v1", run, run.block)));
    if (opened.view().size() != run.blocks() * kListSize) return fail(does_not_fit());
    Fences fences;
    for (std::size_t at = 0; at < opened.view().size(); at += kListSize)
        fences.push_back(get_u32(opened.view().subspan(at)));
    return fences;
}

Result<std::vector<std::uint64_t>> SortedRuns::find(Transaction& transaction, std::uint64_t end,
                                                    std::uint32_t list, std::uint64_t below,
                                                    std::size_t limit) const {
    CLOISON_TRY(const auto runs, newest_first(transaction));
    if ((runs.empty() ? 0 : runs.front().beyond) < end) return fail(does_not_fit());
    std::vector<std::uint64_t> found;
    for (const Run& run : runs) {
        if (found.size() >= limit) break;
        CLOISON_TRY_STATUS(find_in(transaction, run, list, below, limit, found));
    }
    return found;
}

Status SortedRuns::find_in(Transaction& transaction, const Run& run, std::uint32_t list,
                           std::uint64_t below, std::size_t limit,
                           std::vector<std::uint64_t>& found) const {
    CLOISON_TRY(const auto known, fences(transaction, run));
    // From the last block that may hold the list, backwards.
    auto number = std::upper_bound(known->begin(), known->end(), list) - known->begin();
    while (number > 0) {
        --number;
        CLOISON_TRY(const auto items, block(transaction, run, static_cast<std::uint64_t>(number)));
        for (auto item = items.rbegin(); item != items.rend(); ++item) {
            if (item->list < list || found.size() >= limit) return {};
            if (item->list == list && item->value < below) found.push_back(item->value);
        }
    }
    return {};
}

Status SortedRuns::clear(Transaction& transaction) const {
    {
        const std::lock_guard lock(mutex_);
        fences_.clear();
    }
    CLOISON_TRY_STATUS(transaction.execute("DELETE FROM run", {}));
    CLOISON_TRY_STATUS(transaction.execute("DELETE FROM block", {}));
    return {};
}

}  // namespace cloison::keeper
