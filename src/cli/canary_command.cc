#include "cli/canary_command.h"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cstdio>
#include <set>

#include "base/id.h"
#include "casework/casework_client.h"
#include "cli/canary_people.h"
#include "cli/service_wiring.h"
#include "cli/whole_number.h"
#include "crypto/keys.h"
#include "demo/names.h"
#include "documents/documents_client.h"
#include "documents/encrypted_file.h"
#include "identity/identity_client.h"
#include "keeper/client/keeper_client.h"

namespace cloison::cli {
namespace {

constexpr std::uint32_t kMaxPersons = 1'000;
constexpr std::uint32_t kBatch = 50;
constexpr std::uint32_t kSchemaVersion = 1;
constexpr std::array<std::string_view, 3> kCompartments{"identity", "casework", "documents"};

struct PlantChoice {
    std::string copy;
    std::uint32_t persons = 5;
    std::string mail_domain;
    std::string list;
};
struct ListChoice {
    std::string copy;
    bool values = false;
};

/// RFC 4180, section 2.
std::string csv_cell(std::string_view text) {
    if (text.find_first_of(",\"\r\n") == std::string_view::npos) return std::string(text);
    std::string cell = "\"";
    for (const char c : text) {
        if (c == '"') cell += '"';
        cell += c;
    }
    return cell + '"';
}
constexpr std::string_view kCsvHeader = "number,copy,compartment,person,field,value\r\n";

/// The key of a file is nothing to look for.
bool is_listed(std::string_view field) {
    return field != "document_content";
}

/// A canary's values as lines of CSV. `person` is the number by which alarms and lists name them.
std::string csv_lines(const keeper::v1::RegisteredCanary& canary) {
    std::string lines;
    for (const auto& item : canary.items())
        if (is_listed(item.field()))
            lines += std::to_string(canary.number()) + ',' + canary.copy() + ',' +
                     canary.compartment() + ',' + std::to_string(canary.person()) + ',' +
                     item.field() + ',' + csv_cell(item.value()) + "\r\n";
    return lines;
}

/// Reads the register page by page; of all copies if `copy` is empty.
template <class Take>
Status read_register(const keeper::KeeperClient& keeper, const std::string& copy, Take take) {
    keeper::v1::CanariesRequest request;
    request.set_copy(copy);
    request.set_limit(kMaxPersons);
    for (;;) {
        CLOISON_TRY(const auto page, keeper.canaries(request));
        if (page.canaries().empty()) return {};
        for (const auto& canary : page.canaries()) take(canary);
        request.set_after(page.canaries(page.canaries_size() - 1).number());
    }
}

/// Plants the canaries of one copy, compartment after compartment.
class Planter {
  public:
    Planter(const Wiring& wiring, PlantChoice choice, CanaryPeople people)
        : choice_(std::move(choice)),
          people_(std::move(people)),
          keeper_(wiring.client<keeper::KeeperClient>("keeper")),
          identity_(wiring.client<identity::IdentityClient>("identity")),
          casework_(wiring.client<casework::CaseworkClient>("casework")),
          documents_(wiring.client<documents::DocumentsClient>("documents")) {}

    Status plant() {
        for (const std::string_view compartment : kCompartments) {
            for (done_ = 0; done_ < choice_.persons;) {
                const auto batch = std::min(kBatch, choice_.persons - done_);
                if (auto planted = plant_batch(compartment, batch); !planted)
                    return fail(planted.error().code,
                                planted.error().message + " Planted so far: " + report());
            }
        }
        return {};
    }

    /// The values of those that stand, as the register has them.
    Result<std::string> csv() const {
        std::string lines(kCsvHeader);
        CLOISON_TRY_STATUS(
            read_register(keeper_, choice_.copy, [&](const keeper::v1::RegisteredCanary& canary) {
                if (!canary.items().empty() && records_.contains(canary.items(0).record()))
                    lines += csv_lines(canary);
            }));
        return lines;
    }
    std::string report() const {
        std::string text;
        for (const std::string_view compartment : kCompartments) {
            const auto found = planted_.find(compartment);
            text += (text.empty() ? "" : ", ") +
                    std::to_string(found == planted_.end() ? 0 : found->second) + " in " +
                    std::string(compartment);
        }
        return text + '.';
    }

  private:
    /// Somebody invented, on the way to a store.
    struct Newcomer {
        std::string record;  ///< Names their row.
        CanaryValues values;
        documents::v1::PlantCanaryRequest document;  ///< Of documents only.
    };
    static std::string new_id() { return RequestId::random(system_random()).bytes(); }

    Result<Newcomer> invent(std::string_view compartment) {
        Newcomer newcomer{new_id(), {}, {}};
        if (compartment == "identity")
            newcomer.values = people_.account();
        else if (compartment == "casework")
            newcomer.values = people_.application();
        else
            CLOISON_TRY_STATUS(invent_document(newcomer));
        return newcomer;
    }

    Status invent_document(Newcomer& newcomer) {
        documents::v1::DescribeCanaryRequest looks;
        looks.set_lot(new_id());
        CLOISON_TRY(const auto model, documents_.describe_canary(looks));
        const Bytes file =
            make_canary_file(model.content_type(), model.padded_size() - 1, system_random());
        const auto key = crypto::FileKey::random(system_random());
        documents::FileEncryptor encryptor(key);
        CLOISON_TRY(auto chunks, encryptor.feed(file));
        CLOISON_TRY(auto last, encryptor.finish());
        chunks.insert(chunks.end(), last.begin(), last.end());
        newcomer.values = {{"document_content", to_string(key.view())},
                           {"document_name", people_.document_name(model.content_type())}};
        newcomer.document.set_document(newcomer.record);
        newcomer.document.set_header(to_string(encryptor.header()));
        newcomer.document.set_content_type(model.content_type());
        newcomer.document.set_kind(model.kind());
        newcomer.document.set_case_tag(new_id());
        for (const Bytes& chunk : chunks) newcomer.document.add_chunks(to_string(chunk));
        return {};
    }

    Status plant_batch(std::string_view compartment, std::uint32_t size) {
        keeper::v1::PlantCanariesRequest request;
        request.set_copy(choice_.copy);
        request.set_compartment(std::string(compartment));
        std::vector<Newcomer> newcomers;
        for (std::uint32_t i = 0; i < size; ++i) {
            CLOISON_TRY(auto newcomer, invent(compartment));
            auto* person = request.add_persons();
            for (const auto& [field, value] : newcomer.values) {
                auto* item = person->add_items();
                item->set_field(field);
                item->set_record(newcomer.record);
                item->set_value(value);
                item->set_schema_version(kSchemaVersion);
            }
            newcomers.push_back(std::move(newcomer));
        }
        CLOISON_TRY(const auto planted, keeper_.plant_canaries(request));
        if (planted.persons_size() != request.persons_size())
            return fail(ErrorCode::kInternal, "The keeper planted another number than asked.");
        for (std::uint32_t i = 0; i < size; ++i) {
            CLOISON_TRY_STATUS(
                store(compartment, newcomers[i], planted.persons(static_cast<int>(i))));
            ++planted_[std::string(compartment)];
            ++done_;
            records_.insert(newcomers[i].record);
        }
        show(compartment);
        return {};
    }

    Status store(std::string_view compartment, Newcomer& newcomer,
                 const keeper::v1::PlantedCanary& planted) {
        if (compartment == "identity") return store_account(newcomer, planted);
        if (compartment == "casework") return store_request(newcomer, planted);
        auto& request = newcomer.document;
        request.set_enrolment(planted.enrolment());
        request.set_sealed_key(planted.sealed(0));  // in the order of the names of their fields
        request.set_sealed_name(planted.sealed(1));
        CLOISON_TRY_STATUS(documents_.plant_canary(request));
        return {};
    }

    Status store_account(const Newcomer& newcomer, const keeper::v1::PlantedCanary& planted) {
        identity::v1::PlantCanaryRequest request;
        request.set_enrolment(planted.enrolment());
        request.set_email_index(planted.email_index());
        request.set_record(newcomer.record);
        request.set_language(people_.language());
        fill(newcomer, planted, [&] { return request.add_fields(); });
        CLOISON_TRY_STATUS(identity_.plant_canary(request));
        return {};
    }

    Status store_request(const Newcomer& newcomer, const keeper::v1::PlantedCanary& planted) {
        casework::v1::PlantCanaryRequest request;
        request.set_enrolment(planted.enrolment());
        request.set_request(newcomer.record);
        request.set_type("passport");
        fill(newcomer, planted, [&] { return request.add_values(); });
        CLOISON_TRY_STATUS(casework_.plant_canary(request));
        return {};
    }

    template <class Add>
    static void fill(const Newcomer& newcomer, const keeper::v1::PlantedCanary& planted, Add add) {
        int i = 0;
        for (const auto& [field, value] : newcomer.values) {
            auto* out = add();
            out->set_field(field);
            out->set_record(newcomer.record);
            out->set_sealed(planted.sealed(i++));
        }
    }

    void show(std::string_view compartment) const {
        const bool bar = isatty(STDERR_FILENO) == 1;
        std::fprintf(stderr, "%s%u of %u in %.*s%s", bar ? "\r  " : "", done_, choice_.persons,
                     static_cast<int>(compartment.size()), compartment.data(),
                     bar && done_ < choice_.persons ? "   " : "\n");
    }

    const PlantChoice choice_;
    CanaryPeople people_;
    const keeper::KeeperClient keeper_;
    const identity::IdentityClient identity_;
    const casework::CaseworkClient casework_;
    const documents::DocumentsClient documents_;
    std::uint32_t done_ = 0;
    std::map<std::string, std::uint32_t, std::less<>> planted_;
    std::set<std::string> records_;  ///< Of those that stand.
};

/// A list must not overwrite another, and it is too late to find out when the canaries stand.
Status reserve(FileSystem& files, const Path& path) {
    CLOISON_TRY(const bool exists, files.exists(path));
    if (exists)
        return fail(ErrorCode::kInvalidArgument,
                    path.string() + " exists already: name another file for the list.");
    return files.write_file_atomically(path, as_bytes(kCsvHeader), 0600);
}

Status plant(const Layout& layout, const PlantChoice& choice) {
    if (!choice.mail_domain.empty()) CLOISON_TRY_STATUS(check_mail_domain(choice.mail_domain));
    CLOISON_TRY(auto wiring, Wiring::load(layout, "operator"));
    CLOISON_TRY(auto names,
                demo::load_names(wiring.files, wiring.installation.web / "demo" / "names.json"));
    CanaryPeople people(std::make_shared<const demo::Names>(std::move(names)), choice.mail_domain,
                        system_random());
    if (!choice.list.empty()) CLOISON_TRY_STATUS(reserve(wiring.files, choice.list));
    Planter planter(wiring, choice, std::move(people));
    const Status planted = planter.plant();
    // Also what was planted before something failed stands there and is to be listed.
    if (!choice.list.empty()) {
        CLOISON_TRY(const auto csv, planter.csv());
        CLOISON_TRY_STATUS(wiring.files.write_file_atomically(choice.list, as_bytes(csv), 0600));
    }
    CLOISON_TRY_STATUS(planted);
    std::printf("Planted for the copy %s: %s\n", choice.copy.c_str(), planter.report().c_str());
    if (!choice.list.empty())
        std::printf(
            "Their values are in %s, to be inserted into the copy. Remove the file then: cloison "
            "canary list --values shows them again.\n",
            choice.list.c_str());
    return {};
}

Status list(const Layout& layout, const ListChoice& choice) {
    CLOISON_TRY(auto wiring, Wiring::load(layout, "operator"));
    const auto keeper = wiring.client<keeper::KeeperClient>("keeper");
    std::uint64_t count = 0;
    CLOISON_TRY_STATUS(
        read_register(keeper, choice.copy, [&](const keeper::v1::RegisteredCanary& canary) {
            if (count++ == 0 && choice.values) std::fputs(std::string(kCsvHeader).c_str(), stdout);
            if (choice.values)
                std::fputs(csv_lines(canary).c_str(), stdout);
            else
                std::printf("%6llu  %-32s  %-9s  %s\n",
                            static_cast<unsigned long long>(canary.number()), canary.copy().c_str(),
                            canary.compartment().c_str(),
                            format_rfc3339(from_unix_ms(canary.planted_ms())).c_str());
        }));
    if (count == 0 && choice.copy.empty())
        std::fprintf(stderr, "No canaries are planted.\n");
    else if (count == 0)
        std::fprintf(stderr, "No canaries are planted for the copy %s.\n", choice.copy.c_str());
    return {};
}

}  // namespace

void add_canary_command(CLI::App& command, std::function<Layout()> layout,
                        std::function<Status()>& chosen) {
    command.require_subcommand(1);
    auto* plant_command =
        command.add_subcommand("plant", "Stores invented persons; the services must be running");
    auto planting = std::make_shared<PlantChoice>();
    plant_command
        ->add_option("--copy", planting->copy,
                     "Which copy of the data they are for: 1 to 32 of a-z, 0-9, '-' and '.'")
        ->required();
    plant_command->add_option("--persons", planting->persons, "Persons for each compartment")
        ->transform(whole_number())
        ->check(CLI::Range(1U, kMaxPersons))
        ->capture_default_str();
    plant_command->add_option("--mail-domain", planting->mail_domain,
                              "A domain of your own for their addresses");
    plant_command->add_option("--list", planting->list,
                              "New file for their values as CSV, to insert into a copy in clear");
    plant_command->fallthrough();
    plant_command->callback([planting, layout, &chosen] {
        chosen = [planting, layout] { return plant(layout(), *planting); };
    });

    auto* list_command = command.add_subcommand("list", "Says which canaries are planted");
    auto listing = std::make_shared<ListChoice>();
    list_command->add_option("--copy", listing->copy, "Only those of this copy");
    list_command->add_flag("--values", listing->values, "Print their values as CSV");
    list_command->fallthrough();
    list_command->callback([listing, layout, &chosen] {
        chosen = [listing, layout] { return list(layout(), *listing); };
    });
}

}  // namespace cloison::cli
