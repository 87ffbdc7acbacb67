<?php defined('SYSPATH') OR die('No direct script access.');
/**
 * An error of this module's own: of its configuration, or of where files stand.
 *
 * What Python raises keeps its own class, and what the extension throws is a [Tortoise\Exception].
 *
 * @package   Kohana/Tortoise
 * @category  Exceptions
 */
class Kohana_Tortoise_Exception extends Kohana_Exception {}
