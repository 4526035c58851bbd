#pragma once

#include <array>
#include <string_view>

namespace cloison::demo {

/// What the demo's people write to each other, and what stands in the files that they hand in:
/// the population writes it, the drills look for it.
inline constexpr std::array<std::string_view, 5> kQuestions{
    "Bonjour, savez-vous sous quel délai ma demande sera traitée ? Merci.",
    "Bonjour, faut-il fournir l’original du justificatif de domicile lors du rendez-vous ?",
    "Bonjour, je pars à l’étranger dans deux mois, est-ce que cela suffira ? Cordialement.",
    "Hello, can I collect the passport at another town hall? Thank you.",
    "Bonjour, j’ai déménagé la semaine dernière, que dois-je faire ?",
};
inline constexpr std::string_view kCorrection =
    "Bonjour, le justificatif de domicile que vous avez joint date de plus d’un an. Merci d’en "
    "fournir un plus récent.";
inline constexpr std::string_view kRefusal =
    "Bonjour, les pièces jointes ne permettent pas d’établir la nationalité française. Votre "
    "demande est refusée ; les voies de recours figurent dans le courrier qui vous est adressé.";
inline constexpr std::string_view kDocumentTitle = "Justificatif de demonstration";

}  // namespace cloison::demo
