#include "cli/journal_reading.h"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <optional>

#include "cli/counted.h"
#include "cli/journal_commands.h"
#include "cli/whole_number.h"
#include "journal/export.h"
#include "journal/fsck.h"
#include "journal/growth_proof.h"
#include "journal/published.h"
#include "keeper/keeper.h"

namespace cloison::cli {
namespace {

using Number = unsigned long long;

/// What a journal's files are read with.
struct JournalFiles {
    FileSystem& files = local_file_system();
    Path keeper;
    Configuration configuration;
    journal::NoteVerifier verifier;

    static Result<JournalFiles> of(const Layout& layout) {
        FileSystem& files = local_file_system();
        CLOISON_TRY(auto configuration, Configuration::load(files, layout.configuration()));
        CLOISON_TRY(const auto vkey, keeper::journal_verify_key(files, layout.service("keeper"),
                                                                configuration.journal_origin));
        CLOISON_TRY(auto verifier, journal::NoteVerifier::parse(vkey));
        return JournalFiles{files, layout.service("keeper"), std::move(configuration),
                            std::move(verifier)};
    }

    Path directory() const { return keeper::journal_directory(keeper); }
    Result<std::shared_ptr<const crypto::BoxKey>> entry_key() const {
        return keeper::journal_entry_key(files, keeper, configuration.root_key_source());
    }
    Result<journal::PublishedJournal> open(bool with_entries) const {
        std::shared_ptr<const crypto::BoxKey> key;
        if (with_entries) {
            CLOISON_TRY(key, entry_key());
        }
        return journal::PublishedJournal::open(files, directory(), verifier, key);
    }
};

/// A checkpoint, and what was signed.
struct SignedCheckpoint {
    journal::Checkpoint head;
    std::string note;
};

/// The journal's own checkpoint over an earlier size, signed anew: it is proved to be a beginning
/// of the published one, and whoever has the keeper's directory has its key.
Result<SignedCheckpoint> checkpoint_of(const JournalFiles& here,
                                       const journal::PublishedJournal& journal,
                                       std::optional<std::uint64_t> size) {
    if (!size || *size == journal.size())
        return SignedCheckpoint{journal.checkpoint(), journal.note()};
    CLOISON_TRY(auto head, journal.checkpoint_at(*size));
    CLOISON_TRY(const auto key, keeper::journal_signing_key(here.files, here.keeper));
    std::string note = journal::sign_note(head.text(), head.origin, key);
    return SignedCheckpoint{std::move(head), std::move(note)};
}

/// One from a file, with the signatures of witnesses that it may carry.
Result<SignedCheckpoint> checkpoint_in(const JournalFiles& here, const Path& file) {
    CLOISON_TRY(const auto note, here.files.read_file(file, journal::kMaxCheckpointBytes));
    auto head = journal::open_checkpoint(as_text(note), here.verifier);
    if (!head)
        return fail(ErrorCode::kInvalidArgument,
                    file.string() + " is no checkpoint of this journal: " + head.error().message);
    return SignedCheckpoint{std::move(*head), to_string(note)};
}

/// What is asked for and is not there is bad input.
template <class T>
Result<T> or_bad_input(Result<T> result) {
    if (!result && (result.error().code == ErrorCode::kNotFound ||
                    result.error().code == ErrorCode::kConflict))
        return fail(ErrorCode::kInvalidArgument, result.error().message);
    return result;
}

/// Shows "N of M lines" on a terminal, and takes it away at the end.
class Progress {
  public:
    void operator()(std::uint64_t done, std::uint64_t all) const {
        if (shown_)
            std::fprintf(stderr, "\r%llu of %llu lines", static_cast<Number>(done),
                         static_cast<Number>(all));
    }
    void clear() const {
        if (shown_) std::fputs("\r\033[K", stderr);
    }

  private:
    bool shown_ = isatty(STDERR_FILENO) == 1;
};

struct FsckArguments {
    bool json = false;
    std::uint64_t at_least = 0;
    std::string against;
};

void print_report(const journal::FsckReport& report, bool json) {
    if (json) {
        const nlohmann::json out = {{"entries", report.entries},
                                    {"tiles", report.tiles},
                                    {"checkpoint_size", report.checkpoint_size},
                                    {"unpublished_entries", report.unpublished_entries},
                                    {"torn_tail", report.torn_tail}};
        std::printf("%s\n", out.dump().c_str());
        return;
    }
    std::printf(
        "The journal is whole: %s and %s read, checkpoint over %llu, "
        "%llu not published yet%s.\n",
        counted(report.entries, "line").c_str(), counted(report.tiles, "tile").c_str(),
        static_cast<Number>(report.checkpoint_size),
        static_cast<Number>(report.unpublished_entries),
        report.torn_tail ? ", an unfinished write at the end" : "");
}

Result<journal::FsckReport> check_journal(const Layout& layout, const FsckArguments& arguments) {
    CLOISON_TRY(const auto here, JournalFiles::of(layout));
    journal::FsckOptions options;
    options.verify_key = journal::note_vkey(here.verifier.name, here.verifier.key);
    CLOISON_TRY(options.entry_key, here.entry_key());
    options.at_least = arguments.at_least;
    if (!arguments.against.empty()) {
        CLOISON_TRY(auto kept, checkpoint_in(here, arguments.against));
        options.against = std::move(kept.note);
    }
    const Progress progress;
    options.progress = progress;
    auto report = journal::fsck(here.files, here.directory(), options);
    progress.clear();
    return report;
}

Status run_fsck(const Layout& layout, const FsckArguments& arguments) {
    const auto report = check_journal(layout, arguments);
    if (!report && arguments.json)
        std::printf("%s\n", nlohmann::json{{"error", report.error().message}}.dump().c_str());
    if (!report) return fail(report.error());
    print_report(*report, arguments.json);
    return {};
}

struct ProveArguments {
    std::optional<std::uint64_t> index;
    std::optional<std::uint64_t> size;
    std::optional<std::uint64_t> from;
    std::optional<std::uint64_t> to;
    std::string checkpoint;
};

Status prove_entry(const JournalFiles& here, const ProveArguments& arguments) {
    CLOISON_TRY(const auto journal, here.open(true));
    CLOISON_TRY(auto against, arguments.checkpoint.empty()
                                  ? checkpoint_of(here, journal, arguments.size)
                                  : checkpoint_in(here, arguments.checkpoint));
    CLOISON_TRY(const auto proof, or_bad_input(journal.prove(*arguments.index, against.head,
                                                             std::move(against.note))));
    std::fputs(proof.text().c_str(), stdout);
    return {};
}

Status prove_growth(const JournalFiles& here, const ProveArguments& arguments) {
    CLOISON_TRY(const auto journal, here.open(false));
    const std::uint64_t to = arguments.to.value_or(journal.size());
    journal::GrowthProof proof;
    CLOISON_TRY(proof.path, journal.prove_consistency(*arguments.from, to));
    CLOISON_TRY(auto before, checkpoint_of(here, journal, *arguments.from));
    CLOISON_TRY(auto after, checkpoint_of(here, journal, to));
    proof.before = std::move(before.note);
    proof.after = std::move(after.note);
    std::fputs(proof.text().c_str(), stdout);
    return {};
}

Status run_prove(const Layout& layout, const ProveArguments& arguments) {
    if (arguments.index && arguments.from)
        return fail(
            ErrorCode::kInvalidArgument,
            "Say either a line to prove or --from: the one proves a line, the other growth.");
    if (!arguments.index && !arguments.from)
        return fail(ErrorCode::kInvalidArgument,
                    "Say which line to prove, or with --from the size that the journal grew from.");
    if (arguments.index && arguments.to)
        return fail(ErrorCode::kInvalidArgument, "--to goes with --from.");
    if (arguments.from && (arguments.size || !arguments.checkpoint.empty()))
        return fail(ErrorCode::kInvalidArgument, "--size and --checkpoint go with a line.");
    if (arguments.size && !arguments.checkpoint.empty())
        return fail(ErrorCode::kInvalidArgument, "--checkpoint has its own size.");
    CLOISON_TRY(const auto here, JournalFiles::of(layout));
    return arguments.index ? prove_entry(here, arguments) : prove_growth(here, arguments);
}

struct ExportArguments {
    std::string to;
    std::optional<std::uint64_t> upto;
};

Status run_export(const Layout& layout, const ExportArguments& arguments) {
    std::error_code none;
    if (std::filesystem::exists(arguments.to, none) &&
        !std::filesystem::is_directory(arguments.to, none))
        return fail(ErrorCode::kInvalidArgument,
                    arguments.to + " is a file: --to takes a directory.");
    CLOISON_TRY(const auto here, JournalFiles::of(layout));
    CLOISON_TRY(const auto journal, here.open(true));
    CLOISON_TRY(const auto head, checkpoint_of(here, journal, arguments.upto));
    const Progress progress;
    const auto report = or_bad_input(journal::export_journal(
        journal, head.head, head.note, here.verifier, here.files,
        std::filesystem::absolute(arguments.to).lexically_normal(), progress));
    progress.clear();
    if (!report) return fail(report.error());
    std::printf("Exported %s to %s (%llu were there). They are confidential.\n",
                counted(report->entries, "line").c_str(), arguments.to.c_str(),
                static_cast<Number>(report->resumed));
    return {};
}

void add_fsck(CLI::App& journal, const std::function<Layout()>& layout,
              std::function<Status()>& chosen) {
    auto* fsck = journal.add_subcommand("fsck", "Re-reads everything, names the first thing wrong");
    auto arguments = std::make_shared<FsckArguments>();
    fsck->add_flag("--json", arguments->json, "Print JSON");
    fsck->add_option("--at-least", arguments->at_least,
                     "So many lines were there once: fewer are an older copy")
        ->transform(whole_number());
    fsck->add_option("--against", arguments->against,
                     "A checkpoint of it that was kept elsewhere: what it covers must be there");
    fsck->fallthrough();
    fsck->callback([layout, arguments, &chosen] {
        chosen = [layout, arguments] { return run_fsck(layout(), *arguments); };
    });
}

void add_checkpoint(CLI::App& journal, const std::function<Layout()>& layout,
                    std::function<Status()>& chosen) {
    auto* checkpoint = journal.add_subcommand("checkpoint", "Prints the latest signed checkpoint");
    checkpoint->fallthrough();
    checkpoint->callback([layout, &chosen] {
        chosen = [layout]() -> Status {
            CLOISON_TRY(const auto here, JournalFiles::of(layout()));
            CLOISON_TRY(const auto published, here.open(false));
            std::fputs(published.note().c_str(), stdout);
            return {};
        };
    });
}

void add_prove(CLI::App& journal, const std::function<Layout()>& layout,
               std::function<Status()>& chosen) {
    auto* prove = journal.add_subcommand(
        "prove", "Prints the proof of a line, or that the journal only grew between two sizes");
    auto arguments = std::make_shared<ProveArguments>();
    prove->add_option("index", arguments->index, "The line, counted from 0")
        ->transform(whole_number());
    prove->add_option("--size", arguments->size, "Prove it in the journal of that many lines")
        ->transform(whole_number());
    prove->add_option("--checkpoint", arguments->checkpoint,
                      "Prove it against a signed checkpoint in a file, such as a cosigned one");
    prove->add_option("--from", arguments->from, "Prove growth from that many lines")
        ->transform(whole_number());
    prove->add_option("--to", arguments->to, "To so many; to all that are published if not given")
        ->transform(whole_number());
    prove->fallthrough();
    prove->callback([layout, arguments, &chosen] {
        chosen = [layout, arguments] { return run_prove(layout(), *arguments); };
    });
}

void add_export(CLI::App& journal, const std::function<Layout()>& layout,
                std::function<Status()>& chosen) {
    auto* command = journal.add_subcommand(
        "export", "Copies it, decrypted, into a standard directory of tiles (C2SP tlog-tiles)");
    auto arguments = std::make_shared<ExportArguments>();
    command->add_option("--to", arguments->to, "A new directory, or one that an export before made")
        ->required();
    command->add_option("--upto", arguments->upto, "Only the first so many lines")
        ->transform(whole_number());
    command->fallthrough();
    command->callback([layout, arguments, &chosen] {
        chosen = [layout, arguments] { return run_export(layout(), *arguments); };
    });
}

}  // namespace

void add_journal_reading(CLI::App& journal, std::function<Layout()> layout,
                         std::function<Status()>& chosen) {
    add_fsck(journal, layout, chosen);
    add_checkpoint(journal, layout, chosen);
    add_prove(journal, layout, chosen);
    add_export(journal, layout, chosen);
}

}  // namespace cloison::cli
