// A link into a folded solution opens it.
function unfold() {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  const fold = target && target.closest(".toggle-hidden");
  if (fold) {
    fold.querySelector("button.toggle-button").click();
    target.scrollIntoView();
  }
}
addEventListener("load", unfold);
addEventListener("hashchange", unfold);
