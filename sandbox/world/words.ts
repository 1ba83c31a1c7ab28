// Word lists of the invented retailer and its customers.

export const GIVEN_NAMES: Readonly<Record<string, readonly string[]>> = {
  GB: [
    'Ada',
    'Alan',
    'Grace',
    'Oliver',
    'Amelia',
    'George',
    'Isla',
    'Arthur',
    'Zoë',
    'Siobhán',
    'Rhys',
    'Priya',
    'Imran',
  ],
  DE: ['Jürgen', 'Käthe', 'Lukas', 'Sophie', 'Björn', 'Anneliese', 'Emre'],
  FR: ['Renée', 'François', 'Chloé', 'Loïc', 'Amélie', 'Gaël', 'Inès'],
  US: ['Mason', 'Harper', 'José', 'Brooklyn', 'Thảo', 'Carter', 'Łucja'],
};

export const FAMILY_NAMES: Readonly<Record<string, readonly string[]>> = {
  GB: [
    'Lovelace',
    'Turing',
    'Hopper',
    'Babbage',
    'Byron',
    'Faraday',
    "O'Neill",
    'Llewellyn',
    'Patel',
    'Khan',
    'MacLeod',
  ],
  DE: ['Müller', 'Groß', 'Schäfer', 'Weiß', 'Böhm', 'Yılmaz'],
  FR: ['Lefèvre', 'Noël', 'Garçon', 'Bézier', 'Dubois', 'Hébert'],
  US: ['Núñez', 'Nguyễn', 'Carver', 'Whitman', 'Żak', 'Franklin'],
};

export const CITIES: Readonly<Record<string, readonly (readonly [city: string, postalCode: string])[]>> = {
  GB: [
    ['London', 'N1 9GU'],
    ['Manchester', 'M20 2LN'],
    ['Birmingham', 'B16 8QQ'],
    ['Leeds', 'LS6 2AS'],
    ['Glasgow', 'G12 8AP'],
    ['Bristol', 'BS6 5BP'],
    ['Norwich', 'NR3 1LF'],
    ['Kendal', 'LA9 6EY'],
  ],
  DE: [
    ['Berlin', '10115'],
    ['München', '80331'],
    ['Köln', '50667'],
  ],
  FR: [
    ['Paris', '75011'],
    ['Lyon', '69002'],
    ['Nîmes', '30000'],
  ],
  US: [
    ['Portland', '97205'],
    ['Austin', '78701'],
    ['San José', '95112'],
  ],
};

export const STREET_KINDS: Readonly<Record<string, string>> = { GB: 'Lane', DE: 'Straße', FR: 'Allée', US: 'Avenue' };

export const BRANDS = ['Larkfield', 'Northway', 'Kiln & Co', 'Brightwater', 'Ashdown', 'Mørk', 'Fennel', 'Tidewell'];

export const SIZES = ['XS', 'S', 'M', 'L', 'XL', '38', '40', '42'];

/** Category -> product types; the third part says the unit when it is not the piece, `!` marks hazardous goods. */
export const ASSORTMENT: Readonly<Record<string, readonly string[]>> = {
  Home: ['Throw', 'Cushion', 'Table lamp', 'Candle', 'Picture frame', 'Wool rug'],
  Kitchen: ['Stoneware mug', 'Cast iron pan', 'Tea towel', 'Cake stand', 'Lunch bag', 'Storage jar'],
  Clothing: ['Merino jumper', 'Linen shirt', 'Rain jacket', 'Cotton socks', 'Denim jeans'],
  Garden: ['Hand trowel', 'Watering can', 'Seed set', 'Bird feeder', 'Lamp oil!MILLILITER', 'Gas lantern!'],
  Food: [
    'Loose leaf tea:GRAM',
    'Ground coffee:GRAM',
    'Elderflower cordial:MILLILITER',
    'Shortbread tin',
    'Wild honey:GRAM',
  ],
  Beauty: ['Hand cream', 'Bar soap', 'Eau de parfum!MILLILITER', 'Nail polish!', 'Bath salts:GRAM'],
  Toys: ['Wooden train', 'Jigsaw', 'Plush fox', 'Card game', 'Kite'],
};

export const COLORS = ['Oat', 'Slate', 'Moss', 'Indigo', 'Rust', 'Ivory', 'Teal', 'Plum', 'Sand', 'Charcoal'];
