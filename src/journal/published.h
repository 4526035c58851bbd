#pragma once

#include <string>
#include <vector>

#include "journal/note.h"
#include "journal/proof.h"
#include "journal/tiles.h"

namespace cloison::journal {

/// The published part of a journal, read from its directory without its lock: also while another
/// process writes to it, and without the write-ahead segments. What it says is what the checkpoint
/// that it began with says; tiles that were partial then may have given way to full ones.
///
/// It trusts the tiles no further than the checkpoint proves them: roots and proofs that they give
/// are held against it, and damage is kCorrupt.
class PublishedJournal : public TileHashSource {
  public:
    /// `verifier` is the journal's own key; `entry_key` as in Journal::Options, which only reading
    /// entries needs. kNotFound if there is no journal.
    static Result<PublishedJournal> open(FileSystem& files, const Path& directory,
                                         const NoteVerifier& verifier,
                                         const std::shared_ptr<const crypto::BoxKey>& entry_key);

    std::uint64_t size() const { return checkpoint_.size; }
    const Checkpoint& checkpoint() const { return checkpoint_; }
    const std::string& note() const { return note_; }  ///< The checkpoint as it was signed.
    const TileFiles& tiles() const { return tiles_; }

    /// The tree of the first `size` entries, proved to be a beginning of the published one.
    /// kInvalidArgument beyond size().
    Result<Checkpoint> checkpoint_at(std::uint64_t size) const;
    /// Proof that the tree of `old_size` entries is a beginning of that of `new_size`.
    Result<std::vector<crypto::Hash>> prove_consistency(std::uint64_t old_size,
                                                        std::uint64_t new_size) const;
    /// Proof of an entry in the tree of `note`, a signed checkpoint of this journal over `head`.
    /// kNotFound beyond its size; kInvalidArgument if it is none of this journal's trees.
    Result<Proof> prove(std::uint64_t index, const Checkpoint& head, std::string note) const;

    Result<std::vector<crypto::Hash>> hashes(int level, std::uint64_t first,
                                             std::size_t count) const override;

  private:
    PublishedJournal(TileFiles tiles, Checkpoint checkpoint, std::string note)
        : tiles_(std::move(tiles)), checkpoint_(std::move(checkpoint)), note_(std::move(note)) {}

    TileFiles tiles_;
    Checkpoint checkpoint_;
    std::string note_;
};

}  // namespace cloison::journal
