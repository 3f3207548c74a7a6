// Mounts front-end modules on a static page, as JupyterLab's anywidget does: the same files, without a kernel.
// A plain script, since a browser refuses modules to pages opened as files; `carry` brings their text, and weights, to it.

(() => {
  const here = /** @type {HTMLScriptElement} */ (document.currentScript).src;
  /** @type {Map<string, {arrived: Promise<Uint8Array>, deliver: (base64: string) => void}>} */
  const parcels = new Map();

  /**
   * A file of the site: `name.carried.js` is fetched once, as a script, and calls `crnCarried` with what it holds.
   * @param {string} name
   * @returns {Promise<Uint8Array>}
   */
  function carry(name) {
    const known = parcels.get(name);
    if (known) return known.arrived;
    let deliver = /** @type {(base64: string) => void} */ (() => {});
    const arrived = new Promise((resolve, reject) => {
      deliver = (base64) => resolve(Uint8Array.from(atob(base64), (character) => character.charCodeAt(0)));
      const script = document.createElement("script");
      script.src = new URL(`alive/${name}.carried.js`, here).href;
      script.onerror = () => reject(new Error(`${script.src} cannot be loaded`));
      document.head.append(script);
    });
    parcels.set(name, { arrived, deliver });
    return arrived;
  }

  /** @param {string} name @param {string} base64 */
  /** @type {any} */ (window).crnCarried = (/** @type {string} */ name, /** @type {string} */ base64) => {
    parcels.get(name)?.deliver(base64);
  };

  /**
   * The state with every `{"carried": name}` in it replaced by that file's bytes.
   * @param {any} value
   * @returns {Promise<any>}
   */
  async function unpack(value) {
    if (Array.isArray(value)) return Promise.all(value.map(unpack));
    if (value === null || typeof value !== "object") return value;
    if (typeof value.carried === "string") return new DataView((await carry(value.carried)).buffer);
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
    const loaded = carry(`${name}.js`).then((text) => {
      return import(URL.createObjectURL(new Blob([/** @type {BlobPart} */ (text)], { type: "text/javascript" })));
    });
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
      const [{ default: widget }, values] = await Promise.all([load(module), unpack(stored)]);
      await widget.render({ model: new State(values), el });
      place.dataset.state = "alive";
    } catch (error) {
      place.dataset.state = "failed";
      el.setAttribute("role", "alert");
      el.textContent = `This control cannot be shown: ${error instanceof Error ? error.message : error}`;
      throw error;
    }
  }

  // At once, since a deferred script finds the page read: other scripts, megabytes of equations, come after it.
  const near = new IntersectionObserver(
    (entries) => {
      for (const entry of entries) if (entry.isIntersecting) mount(/** @type {HTMLElement} */ (entry.target));
    },
    { rootMargin: "800px 0px" },
  );
  for (const place of document.querySelectorAll(".crn-alive")) near.observe(place);
})();
