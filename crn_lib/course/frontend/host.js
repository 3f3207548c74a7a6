// Mounts front-end modules on a static page, as JupyterLab's anywidget does: the same files, without a kernel.
// A plain script, since a browser refuses modules to pages opened as files; `carry` brings their text, and weights, to it.

(() => {
  const here = /** @type {HTMLScriptElement} */ (document.currentScript).src;
  /**
   * What has come, by name: bytes in base 64, or what makes a module. A page's head may bring some before this script.
   * @type {Map<string, string | (() => any)>}
   */
  const come = new Map(/** @type {any} */ (window).crnCarried ?? []);
  /** @type {any} */ (window).crnCarried = {
    push: (/** @type {[string, string]} */ [name, value]) => come.set(name, value),
  };
  /** @type {Map<string, Promise<any>>} */
  const asked = new Map();

  /**
   * A file of the site: `name.carried.js` is fetched once, as a script, and puts what it holds into `crnCarried`.
   * @param {string} name
   * @returns {Promise<any>}
   */
  async function carry(name) {
    if (!come.has(name) && !asked.has(name)) {
      const script = document.createElement("script");
      script.src = new URL(`alive/${name}.carried.js`, here).href;
      const arrived = new Promise((resolve, reject) => {
        script.onload = resolve;
        script.onerror = () => reject(new Error(`${script.src} cannot be loaded`));
      });
      asked.set(name, arrived);
      document.head.append(script);
    }
    if (!come.has(name)) await asked.get(name);
    return come.get(name);
  }

  /** @param {string} base64 */
  function bytesOf(base64) {
    const characters = atob(base64);
    const bytes = new Uint8Array(characters.length);
    for (let place = 0; place < bytes.length; place++) bytes[place] = characters.charCodeAt(place);
    return new DataView(bytes.buffer);
  }

  /**
   * The state with every `{"carried": name}` in it replaced by that file's bytes.
   * @param {any} value
   * @returns {Promise<any>}
   */
  async function unpack(value) {
    if (Array.isArray(value)) return Promise.all(value.map(unpack));
    if (value === null || typeof value !== "object") return value;
    if (typeof value.carried === "string") return bytesOf(await carry(value.carried));
    const entries = Object.entries(value).map(async ([name, part]) => [name, await unpack(part)]);
    return Object.fromEntries(await Promise.all(entries));
  }

  /** What anywidget calls a model: named values, and who wants to know of their changes. */
  class State {
    /** @param {Record<string, any>} values */
    constructor(values) {
      this.values = values;
      this.events = new EventTarget();
    }

    /** @param {string} name */
    get(name) {
      return this.values[name];
    }

    /** @param {string} name @param {any} value */
    set(name, value) {
      if (this.values[name] === value) return;
      this.values[name] = value;
      this.events.dispatchEvent(new Event(`change:${name}`));
    }

    save_changes() {} // there is no kernel to tell

    /** @param {string} event @param {() => void} listener */
    on(event, listener) {
      this.events.addEventListener(event, listener);
    }

    /** @param {string} event @param {() => void} listener */
    off(event, listener) {
      this.events.removeEventListener(event, listener);
    }
  }

  /** @type {Map<string, Promise<any>>} */
  const modules = new Map();

  /** @param {string} name */
  function load(name) {
    const known = modules.get(name);
    if (known) return known;
    const loaded = carry(`${name}.js`).then((make) => make());
    modules.set(name, loaded);
    return loaded;
  }

  /** @param {HTMLElement} place */
  async function mount(place) {
    if (place.dataset.state) return;
    place.dataset.state = "loading";
    const { module = "" } = place.dataset;
    const el = document.createElement("div");
    place.append(el); // before anything is drawn into it, which may ask how wide it is
    try {
      const stored = JSON.parse(place.querySelector("script")?.textContent ?? "{}");
      const [widget, values] = await Promise.all([load(module), unpack(stored)]);
      await widget.render({ model: new State(values), el });
      place.dataset.state = "alive";
    } catch (error) {
      place.dataset.state = "failed";
      el.setAttribute("role", "alert");
      el.textContent = `This control cannot be shown: ${error instanceof Error ? error.message : error}`;
      throw error;
    }
  }

  const near = new IntersectionObserver(
    (entries) => {
      for (const entry of entries) if (entry.isIntersecting) mount(/** @type {HTMLElement} */ (entry.target));
    },
    { rootMargin: "800px 0px" },
  );

  /** What the page's head brought along is drawn at once, in the first frame; the rest when it comes near the window. */
  function start() {
    for (const place of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll(".crn-alive"))) {
      if (come.has(`${place.dataset.module}.js`)) mount(place);
      else near.observe(place);
    }
  }

  // Once the page is read, but before the deferred scripts: megabytes of icons and equations.
  if (document.readyState !== "loading") start();
  else document.addEventListener("readystatechange", start, { once: true });
})();
