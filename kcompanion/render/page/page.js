"use strict";
(() => {
  const page = document.documentElement;
  const at = (id) => document.getElementById(id);
  const keep = (value) => { try { localStorage.setItem("kcompanion-theme", value); } catch { /* files may not store */ } };
  const kept = () => { try { return localStorage.getItem("kcompanion-theme"); } catch { return null; } };

  const dark = () => page.dataset.theme ? page.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  const wished = kept();
  if (wished === "dark" || wished === "light") page.dataset.theme = wished;
  at("theme").addEventListener("click", () => { page.dataset.theme = dark() ? "light" : "dark"; keep(page.dataset.theme); });

  const folds = [...document.querySelectorAll("details")];
  at("fold").addEventListener("click", () => {
    const open = folds.some((one) => !one.open);
    for (const one of folds) one.open = open;
  });
  addEventListener("beforeprint", () => { for (const one of folds) one.open = true; });

  // what a search can hide: rows, lines of trees, causes, and pairs of term and sentence
  const pieces = [...document.querySelectorAll("tbody tr, .tree li, .cause, .chapter dt")].map((node) => {
    const others = node.matches("dt") ? [node.nextElementSibling] : [];
    return { node, others, text: [node, ...others].map((one) => one.textContent).join(" ").toLowerCase() };
  });
  const chapters = [...document.querySelectorAll(".chapter, .chapter details")];
  const show = (node, yes) => { if (yes) delete node.dataset.out; else node.dataset.out = ""; };

  const search = () => {
    const wanted = at("search").value.trim().toLowerCase();
    let count = 0;
    for (const piece of pieces) {
      const fits = piece.text.includes(wanted);
      if (fits && !piece.node.querySelector("li")) count += 1;
      for (const node of [piece.node, ...piece.others]) show(node, fits);
    }
    for (const one of chapters) show(one, !wanted || one.textContent.toLowerCase().includes(wanted));
    if (wanted) for (const one of folds) one.open = true;
    at("found").textContent = wanted ? at("found").dataset.told.replace("#", count) : "";
  };
  let waiting = 0;
  at("search").addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(search, 150); });
  document.querySelector(".tools").hidden = false;
})();
